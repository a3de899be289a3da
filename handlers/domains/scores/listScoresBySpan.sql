-- reply: custom
-- flags: read
-- handler: scores_list_scores
-- Both statements have the same filter: $1 traceId, $2 spanId, $3 organizationId, $4 projectId.
-- The page also has $5 limit and $6 offset. ORDER BY names the column with its table, or it would
-- mean the output column of the same name.
-- statement: count
SELECT count(*) AS total
FROM :"schema".mastra_scorers AS score
WHERE "traceId" = $1::text
	AND "spanId" = $2::text
	AND ($3::text IS NULL OR "organizationId" = $3::text)
	AND ($4::text IS NULL OR "projectId" = $4::text)
-- statement: page
SELECT
	id, "scorerId", "traceId", "spanId", "runId", scorer, "preprocessStepResult",
	"extractStepResult", "analyzeStepResult", score, reason, metadata, "preprocessPrompt",
	"extractPrompt", "generateScorePrompt", "generateReasonPrompt", "analyzePrompt",
	"reasonPrompt", input, output, "additionalContext", "requestContext", "entityType", entity,
	"entityId", source, "resourceId", "threadId", "organizationId", "projectId", "batchId",
	"datasetId", "datasetItemId",
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	COALESCE("updatedAtZ", "updatedAt" AT TIME ZONE 'UTC') AS "updatedAt"
FROM :"schema".mastra_scorers AS score
WHERE "traceId" = $1::text
	AND "spanId" = $2::text
	AND ($3::text IS NULL OR "organizationId" = $3::text)
	AND ($4::text IS NULL OR "projectId" = $4::text)
ORDER BY score."createdAt" DESC, score.id DESC
LIMIT $5::int8 OFFSET $6::int8
