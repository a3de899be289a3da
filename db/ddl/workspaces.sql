-- Domain workspaces: workspaces and their versions. embed.py documents the tags.

--- table mastra_workspaces
CREATE TABLE IF NOT EXISTS :"schema".mastra_workspaces (
	id text NOT NULL PRIMARY KEY,
	status text NOT NULL,
	"activeVersionId" text,
	"authorId" text,
	metadata jsonb,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- table mastra_workspace_versions
CREATE TABLE IF NOT EXISTS :"schema".mastra_workspace_versions (
	id text NOT NULL PRIMARY KEY,
	"workspaceId" text NOT NULL,
	"versionNumber" integer NOT NULL,
	name text NOT NULL,
	description text,
	filesystem jsonb,
	sandbox jsonb,
	mounts jsonb,
	search jsonb,
	skills jsonb,
	tools jsonb,
	"autoSync" boolean,
	"operationTimeout" integer,
	"changedFields" jsonb,
	"changeMessage" text,
	"createdAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now()
);

--- index idx_workspace_versions_workspace_version default prefixed
CREATE UNIQUE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_workspace_versions ("workspaceId", "versionNumber");
