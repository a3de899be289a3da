-- Domain schedules: schedules and the history of their firing. embed.py documents the tags.

--- table mastra_schedules
CREATE TABLE IF NOT EXISTS :"schema".mastra_schedules (
	id text NOT NULL PRIMARY KEY,
	target jsonb NOT NULL,
	cron text NOT NULL,
	timezone text,
	status text NOT NULL,
	next_fire_at bigint NOT NULL,
	last_fire_at bigint,
	last_run_id text,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	metadata jsonb,
	owner_type text,
	owner_id text
);

--- table mastra_schedule_triggers
CREATE TABLE IF NOT EXISTS :"schema".mastra_schedule_triggers (
	id text NOT NULL PRIMARY KEY,
	schedule_id text NOT NULL,
	run_id text,
	scheduled_fire_at bigint NOT NULL,
	actual_fire_at bigint NOT NULL,
	outcome text NOT NULL,
	error text,
	trigger_kind text NOT NULL,
	parent_trigger_id text,
	metadata jsonb
);

--- index idx_mastra_schedules_status_next_fire default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_schedules (status, next_fire_at);

--- index idx_mastra_schedule_triggers_schedule_fire default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_schedule_triggers (schedule_id, actual_fire_at DESC);
