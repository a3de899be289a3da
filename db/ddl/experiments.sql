-- Domain experiments: experiments and their results. embed.py documents the tags.

--- table mastra_experiments
---   later agentVersion organizationId projectId provenance runnerAttestation experimentSetId
---   later comparisonId variantId trialIndex scorerIds
CREATE TABLE IF NOT EXISTS :"schema".mastra_experiments (
	id text NOT NULL PRIMARY KEY,
	name text,
	description text,
	metadata jsonb,
	provenance jsonb,
	"runnerAttestation" jsonb,
	"experimentSetId" text,
	"comparisonId" text,
	"variantId" text,
	"trialIndex" integer,
	"datasetId" text,
	"datasetVersion" integer,
	"targetType" text,
	"targetId" text,
	"scorerIds" jsonb,
	status text NOT NULL,
	"totalItems" integer NOT NULL,
	"succeededCount" integer NOT NULL,
	"failedCount" integer NOT NULL,
	"skippedCount" integer NOT NULL,
	"startedAt" timestamp,
	"completedAt" timestamp,
	"agentVersion" text,
	"organizationId" text,
	"projectId" text,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"startedAtZ" timestamptz DEFAULT now(),
	"completedAtZ" timestamptz DEFAULT now(),
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- table mastra_experiment_results
---   later status tags comment toolMockReport metadata organizationId projectId attempt
CREATE TABLE IF NOT EXISTS :"schema".mastra_experiment_results (
	id text NOT NULL PRIMARY KEY,
	"experimentId" text NOT NULL,
	"itemId" text NOT NULL,
	"itemDatasetVersion" integer,
	input jsonb NOT NULL,
	output jsonb,
	"groundTruth" jsonb,
	metadata jsonb,
	error jsonb,
	"startedAt" timestamp NOT NULL,
	"completedAt" timestamp NOT NULL,
	"retryCount" integer NOT NULL,
	attempt integer,
	"traceId" text,
	status text,
	tags jsonb,
	comment text,
	"toolMockReport" jsonb,
	"organizationId" text,
	"projectId" text,
	"createdAt" timestamp NOT NULL,
	"startedAtZ" timestamptz DEFAULT now(),
	"completedAtZ" timestamptz DEFAULT now(),
	"createdAtZ" timestamptz DEFAULT now()
);

--- index idx_experiments_datasetid default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_experiments ("datasetId");

--- index idx_experiments_grouping default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_experiments ("experimentSetId", "comparisonId", "variantId", "trialIndex");

--- index idx_experiment_results_experimentid default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_experiment_results ("experimentId");

--- index idx_experiment_results_exp_item_attempt default
CREATE UNIQUE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_experiment_results ("experimentId", "itemId", attempt);

--- index idx_experiments_org_project default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_experiments ("organizationId", "projectId");

--- index idx_experiment_results_org_project default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_experiment_results ("organizationId", "projectId");

--- index idx_experiment_results_tags_gin default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_experiment_results USING gin (tags);

--- obsolete idx_experiment_results_exp_item default
DROP INDEX :concurrently IF EXISTS :"schema".:"name";
