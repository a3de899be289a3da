-- Domain promptBlocks: prompt blocks and their versions. embed.py documents the tags.

--- table mastra_prompt_blocks
CREATE TABLE IF NOT EXISTS :"schema".mastra_prompt_blocks (
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

--- table mastra_prompt_block_versions
---   later requestContextSchema
CREATE TABLE IF NOT EXISTS :"schema".mastra_prompt_block_versions (
	id text NOT NULL PRIMARY KEY,
	"blockId" text NOT NULL,
	"versionNumber" integer NOT NULL,
	name text NOT NULL,
	description text,
	content text NOT NULL,
	rules jsonb,
	"requestContextSchema" jsonb,
	"changedFields" jsonb,
	"changeMessage" text,
	"createdAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now()
);

--- index idx_prompt_block_versions_block_version default prefixed
CREATE UNIQUE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_prompt_block_versions ("blockId", "versionNumber");
