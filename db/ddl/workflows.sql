-- Domain workflows: snapshots of workflow runs. embed.py documents the tags.

--- table mastra_workflow_snapshot
---   later resourceId
CREATE TABLE IF NOT EXISTS :"schema".mastra_workflow_snapshot (
	workflow_name text NOT NULL,
	run_id text NOT NULL,
	"resourceId" text,
	snapshot jsonb NOT NULL,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- constraint mastra_workflow_snapshot_workflow_name_run_id_key on mastra_workflow_snapshot
ALTER TABLE :"schema".mastra_workflow_snapshot
	ADD CONSTRAINT :"name" UNIQUE (workflow_name, run_id);

--- replica mastra_workflow_snapshot_workflow_name_run_id_key on mastra_workflow_snapshot
ALTER TABLE :"schema".mastra_workflow_snapshot REPLICA IDENTITY USING INDEX :"name";

--- index mastra_workflow_snapshot_name_createdat_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_workflow_snapshot (workflow_name, "createdAt" DESC);

--- index mastra_workflow_snapshot_name_status_createdat_idx default lowered
---   needs snapshot jsonb
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_workflow_snapshot
	(workflow_name, (snapshot ->> 'status'), "createdAt" DESC);

--- index mastra_workflow_snapshot_threadid_idx default hashed
---   needs snapshot jsonb
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_workflow_snapshot ((COALESCE(
		jsonb_path_query_first(snapshot, '$.context.* ? (@.status == "suspended").suspendPayload.__streamState.messageList.memoryInfo.threadId') #>> '{}',
		snapshot #>> '{context,input,messageListState,memoryInfo,threadId}')));
