-- Domain backgroundTasks: tool calls that run in the background. embed.py documents the tags.

--- table mastra_background_tasks
---   later suspend_payload suspendedAt
CREATE TABLE IF NOT EXISTS :"schema".mastra_background_tasks (
	id text NOT NULL PRIMARY KEY,
	tool_call_id text NOT NULL,
	tool_name text NOT NULL,
	agent_id text NOT NULL,
	run_id text NOT NULL,
	thread_id text,
	resource_id text,
	status text NOT NULL,
	args jsonb NOT NULL,
	result jsonb,
	error jsonb,
	suspend_payload jsonb,
	retry_count integer NOT NULL,
	max_retries integer NOT NULL,
	timeout_ms integer NOT NULL,
	"createdAt" timestamp NOT NULL,
	"startedAt" timestamp,
	"suspendedAt" timestamp,
	"completedAt" timestamp,
	"createdAtZ" timestamptz DEFAULT now(),
	"startedAtZ" timestamptz DEFAULT now(),
	"suspendedAtZ" timestamptz DEFAULT now(),
	"completedAtZ" timestamptz DEFAULT now()
);

--- index mastra_bg_tasks_status_created_at_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_background_tasks (status, "createdAt");

--- index mastra_bg_tasks_agent_status_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_background_tasks (agent_id, status);

--- index mastra_bg_tasks_thread_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_background_tasks (thread_id, "createdAt");

--- index mastra_bg_tasks_tool_call_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_background_tasks (tool_call_id);
