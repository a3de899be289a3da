-- Domain scores: results of scorers. embed.py documents the tags.

--- table mastra_scorers
---   later spanId requestContext organizationId projectId batchId datasetId datasetItemId
CREATE TABLE IF NOT EXISTS :"schema".mastra_scorers (
	id text NOT NULL PRIMARY KEY,
	"scorerId" text NOT NULL,
	"traceId" text,
	"spanId" text,
	"runId" text NOT NULL,
	scorer jsonb NOT NULL,
	"preprocessStepResult" jsonb,
	"extractStepResult" jsonb,
	"analyzeStepResult" jsonb,
	score double precision NOT NULL,
	reason text,
	metadata jsonb,
	"preprocessPrompt" text,
	"extractPrompt" text,
	"generateScorePrompt" text,
	"generateReasonPrompt" text,
	"analyzePrompt" text,
	"reasonPrompt" text,
	input jsonb NOT NULL,
	output jsonb NOT NULL,
	"additionalContext" jsonb,
	"requestContext" jsonb,
	"entityType" text,
	entity jsonb,
	"entityId" text,
	source text NOT NULL,
	"resourceId" text,
	"threadId" text,
	"organizationId" text,
	"projectId" text,
	"batchId" text,
	"datasetId" text,
	"datasetItemId" text,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- index mastra_scores_trace_id_span_id_created_at_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_scorers ("traceId", "spanId", "createdAt" DESC);
