-- Domain mcpClients: MCP clients and their versions. embed.py documents the tags.

--- table mastra_mcp_clients
CREATE TABLE IF NOT EXISTS :"schema".mastra_mcp_clients (
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

--- table mastra_mcp_client_versions
CREATE TABLE IF NOT EXISTS :"schema".mastra_mcp_client_versions (
	id text NOT NULL PRIMARY KEY,
	"mcpClientId" text NOT NULL,
	"versionNumber" integer NOT NULL,
	name text NOT NULL,
	description text,
	servers jsonb NOT NULL,
	"changedFields" jsonb,
	"changeMessage" text,
	"createdAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now()
);

--- index idx_mcp_client_versions_client_version default prefixed
CREATE UNIQUE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_mcp_client_versions ("mcpClientId", "versionNumber");
