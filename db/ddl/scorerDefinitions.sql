-- Domain scorerDefinitions: scorers and their versions. embed.py documents the tags.

--- table mastra_scorer_definitions
---   later organizationId projectId
CREATE TABLE IF NOT EXISTS :"schema".mastra_scorer_definitions (
	id text NOT NULL PRIMARY KEY,
	status text NOT NULL,
	"activeVersionId" text,
	"authorId" text,
	"organizationId" text,
	"projectId" text,
	metadata jsonb,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- table mastra_scorer_definition_versions
CREATE TABLE IF NOT EXISTS :"schema".mastra_scorer_definition_versions (
	id text NOT NULL PRIMARY KEY,
	"scorerDefinitionId" text NOT NULL,
	"versionNumber" integer NOT NULL,
	name text NOT NULL,
	description text,
	type text NOT NULL,
	model jsonb,
	instructions text,
	"scoreRange" jsonb,
	"presetConfig" jsonb,
	"defaultSampling" jsonb,
	"changedFields" jsonb,
	"changeMessage" text,
	"createdAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now()
);

--- index idx_scorer_definition_versions_def_version default prefixed
CREATE UNIQUE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_scorer_definition_versions ("scorerDefinitionId", "versionNumber");
