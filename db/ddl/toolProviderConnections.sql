-- Domain toolProviderConnections: connections of users to tool providers. embed.py documents the tags.

--- table mastra_tool_provider_connections
CREATE TABLE IF NOT EXISTS :"schema".mastra_tool_provider_connections (
	"authorId" text NOT NULL,
	"providerId" text NOT NULL,
	"connectionId" text NOT NULL,
	toolkit text NOT NULL,
	label text,
	scope text NOT NULL,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now(),
	PRIMARY KEY ("authorId", "providerId", "connectionId")
);

--- index idx_tool_provider_connections_author default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_tool_provider_connections ("authorId", "providerId", toolkit);
