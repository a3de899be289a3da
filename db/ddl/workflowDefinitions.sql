-- Domain workflowDefinitions: workflows stored as data. embed.py documents the tags.

--- table mastra_workflow_definitions
---   later schedule
CREATE TABLE IF NOT EXISTS :"schema".mastra_workflow_definitions (
	id text NOT NULL PRIMARY KEY,
	description text,
	metadata jsonb,
	"inputSchema" jsonb NOT NULL,
	"outputSchema" jsonb NOT NULL,
	"stateSchema" jsonb,
	"requestContextSchema" jsonb,
	graph jsonb NOT NULL,
	schedule jsonb,
	status text NOT NULL,
	source text NOT NULL,
	"authorId" text,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- index idx_workflow_definitions_status default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_workflow_definitions (status);
