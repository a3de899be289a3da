-- Domain channels: installations and settings of chat platforms. embed.py documents the tags.

--- table mastra_channel_installations
CREATE TABLE IF NOT EXISTS :"schema".mastra_channel_installations (
	id text NOT NULL PRIMARY KEY,
	platform text NOT NULL,
	"agentId" text NOT NULL,
	status text NOT NULL,
	"webhookId" text,
	data jsonb NOT NULL,
	"configHash" text,
	error text,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- table mastra_channel_config
CREATE TABLE IF NOT EXISTS :"schema".mastra_channel_config (
	platform text NOT NULL PRIMARY KEY,
	data jsonb NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"updatedAtZ" timestamptz DEFAULT now()
);

--- index idx_channel_installations_webhook default prefixed
CREATE UNIQUE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_channel_installations ("webhookId");

--- index idx_channel_installations_platform_agent default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_channel_installations (platform, "agentId");
