-- Domain agents: agents and their versions. embed.py documents the tags.

-- Before versions existed, an agent was one flat row. This change renames such a table; agents_copy copies
-- its rows into the new tables.
--- change agents_flat
---   when mastra_agents.name
---   gone mastra_agents mastra_agent_versions
ALTER TABLE :"schema".mastra_agents RENAME TO mastra_agents_legacy;
DROP TABLE IF EXISTS :"schema".mastra_agent_versions;

-- Drops a table of versions that still holds a whole snapshot per row, as the reference does.
--- change agents_snapshot
---   when mastra_agent_versions.snapshot
---   gone mastra_agent_versions
DROP TABLE IF EXISTS :"schema".mastra_agent_versions;

--- table mastra_agents
---   later status authorId visibility favoriteCount
CREATE TABLE IF NOT EXISTS :"schema".mastra_agents (
	id text NOT NULL PRIMARY KEY,
	status text NOT NULL,
	"activeVersionId" text,
	"authorId" text,
	visibility text,
	metadata jsonb,
	"favoriteCount" integer,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- table mastra_agent_versions
---   later mcpClients requestContextSchema workspace skills skillsFormat durable browser
---   later toolProviders
CREATE TABLE IF NOT EXISTS :"schema".mastra_agent_versions (
	id text NOT NULL PRIMARY KEY,
	"agentId" text NOT NULL,
	"versionNumber" integer NOT NULL,
	name text NOT NULL,
	description text,
	instructions text NOT NULL,
	model jsonb NOT NULL,
	tools jsonb,
	"defaultOptions" jsonb,
	workflows jsonb,
	agents jsonb,
	"integrationTools" jsonb,
	"toolProviders" jsonb,
	"inputProcessors" jsonb,
	"outputProcessors" jsonb,
	memory jsonb,
	scorers jsonb,
	"mcpClients" jsonb,
	"requestContextSchema" jsonb,
	workspace jsonb,
	skills jsonb,
	"skillsFormat" text,
	durable jsonb,
	browser jsonb,
	"changedFields" jsonb,
	"changeMessage" text,
	"createdAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now()
);

--- change agents_copy
---   when mastra_agents_legacy.name
---   after agents_flat
WITH legacy AS (
	SELECT to_jsonb(flat) AS old, gen_random_uuid()::text AS version_id
	FROM :"schema".mastra_agents_legacy AS flat
	WHERE flat.id <> ''
		AND NOT EXISTS (SELECT FROM :"schema".mastra_agents AS made WHERE made.id = flat.id)
), agents AS (
	INSERT INTO :"schema".mastra_agents
		(id, status, "activeVersionId", "authorId", metadata, "createdAt", "updatedAt")
	SELECT old ->> 'id', 'published', version_id, coalesce(old ->> 'ownerId', old ->> 'authorId'),
		nullif(old -> 'metadata', 'null'),
		coalesce((old ->> 'createdAt')::timestamp, now() AT TIME ZONE 'UTC'),
		coalesce((old ->> 'updatedAt')::timestamp, now() AT TIME ZONE 'UTC')
	FROM legacy
)
INSERT INTO :"schema".mastra_agent_versions
	(id, "agentId", "versionNumber", name, description, instructions, model, tools,
	"defaultOptions", workflows, agents, "integrationTools", "toolProviders", "inputProcessors",
	"outputProcessors", memory, scorers, "changeMessage", "createdAt")
SELECT version_id, old ->> 'id', 1, coalesce(old ->> 'name', old ->> 'id'), old ->> 'description',
	coalesce(old ->> 'instructions', ''), coalesce(nullif(old -> 'model', 'null'), '{}'),
	nullif(old -> 'tools', 'null'), nullif(old -> 'defaultOptions', 'null'),
	nullif(old -> 'workflows', 'null'), nullif(old -> 'agents', 'null'),
	nullif(old -> 'integrationTools', 'null'), nullif(old -> 'toolProviders', 'null'),
	nullif(old -> 'inputProcessors', 'null'), nullif(old -> 'outputProcessors', 'null'),
	nullif(old -> 'memory', 'null'), nullif(old -> 'scorers', 'null'),
	'Migrated from legacy schema',
	coalesce((old ->> 'createdAt')::timestamp, now() AT TIME ZONE 'UTC')
FROM legacy;
DROP TABLE :"schema".mastra_agents_legacy;

-- Tools were a list of names; now each name has settings. The first statement tells whether such rows
-- exist.
--- repair agents_tools on mastra_agent_versions
---   needs tools jsonb
SELECT EXISTS (SELECT FROM :"schema".mastra_agent_versions WHERE jsonb_typeof(tools) = 'array');
UPDATE :"schema".mastra_agent_versions AS version SET tools = coalesce((
	SELECT jsonb_object_agg(tool, '{}'::jsonb) FROM jsonb_array_elements_text(version.tools) AS tool),
	'{}'::jsonb)
WHERE jsonb_typeof(tools) = 'array';

-- Deletes agents that the reference created only in part: drafts without their first version.
--- repair agents_stale_drafts on mastra_agents
SELECT EXISTS (SELECT FROM :"schema".mastra_agents AS agent
	WHERE status = 'draft' AND "activeVersionId" IS NULL AND NOT EXISTS (
		SELECT FROM :"schema".mastra_agent_versions AS version WHERE version."agentId" = agent.id));
DELETE FROM :"schema".mastra_agents AS agent
WHERE status = 'draft' AND "activeVersionId" IS NULL AND NOT EXISTS (
	SELECT FROM :"schema".mastra_agent_versions AS version WHERE version."agentId" = agent.id);
