-- Domain mcpServers: MCP servers and their versions. embed.py documents the tags.

--- table mastra_mcp_servers
CREATE TABLE IF NOT EXISTS :"schema".mastra_mcp_servers (
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

--- table mastra_mcp_server_versions
CREATE TABLE IF NOT EXISTS :"schema".mastra_mcp_server_versions (
	id text NOT NULL PRIMARY KEY,
	"mcpServerId" text NOT NULL,
	"versionNumber" integer NOT NULL,
	name text NOT NULL,
	version text NOT NULL,
	description text,
	instructions text,
	repository jsonb,
	"releaseDate" text,
	"isLatest" boolean,
	"packageCanonical" text,
	tools jsonb,
	agents jsonb,
	workflows jsonb,
	"changedFields" jsonb,
	"changeMessage" text,
	"createdAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now()
);

--- index idx_mcp_server_versions_server_version default prefixed
CREATE UNIQUE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_mcp_server_versions ("mcpServerId", "versionNumber");
