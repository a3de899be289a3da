-- key: runId
-- reply: none
-- flags: write fold
-- handler: workflows_persist_workflow_snapshot
-- One row per run, distinct and sorted: $1 workflow names, $2 run ids, $3 resource ids, $4 snapshots,
-- $5 created, $6 updated. An existing run keeps its createdAt, and its resource if $3 is null.
INSERT INTO :"schema".mastra_workflow_snapshot AS run
	(workflow_name, run_id, "resourceId", snapshot, "createdAt", "createdAtZ", "updatedAt", "updatedAtZ")
SELECT workflow_name, run_id, resource_id, snapshot, created AT TIME ZONE 'UTC', created,
	updated AT TIME ZONE 'UTC', updated
FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[], $6::timestamptz[])
	AS given (workflow_name, run_id, resource_id, snapshot, created, updated)
ON CONFLICT (workflow_name, run_id) DO UPDATE SET
	"resourceId" = COALESCE(EXCLUDED."resourceId", run."resourceId"),
	snapshot = EXCLUDED.snapshot,
	"updatedAt" = EXCLUDED."updatedAt",
	"updatedAtZ" = EXCLUDED."updatedAtZ"
