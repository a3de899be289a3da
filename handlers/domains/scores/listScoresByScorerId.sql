-- reply: custom
-- flags: read detached
-- handler: scores_list_scores
-- Both statements have the same filter: $1 scorerId, $2 entityId,
-- $3 entityType, $4 source (each null or empty: no condition), $5 organizationId, $6 projectId.
-- The page also has $7 limit and $8 offset. ORDER BY names the column with its table, or it would
-- mean the output column of the same name.
-- statement: count
SELECT count(*) AS total
FROM :"schema".mastra_scorers AS score
WHERE "scorerId" = $1::text
	AND (COALESCE($2::text, '') = '' OR "entityId" = $2::text)
	AND (COALESCE($3::text, '') = '' OR "entityType" = $3::text)
	AND (COALESCE($4::text, '') = '' OR source = $4::text)
	AND ($5::text IS NULL OR "organizationId" = $5::text)
	AND ($6::text IS NULL OR "projectId" = $6::text)
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
WHERE "scorerId" = $1::text
	AND (COALESCE($2::text, '') = '' OR "entityId" = $2::text)
	AND (COALESCE($3::text, '') = '' OR "entityType" = $3::text)
	AND (COALESCE($4::text, '') = '' OR source = $4::text)
	AND ($5::text IS NULL OR "organizationId" = $5::text)
	AND ($6::text IS NULL OR "projectId" = $6::text)
ORDER BY score."createdAt" DESC, score.id DESC
LIMIT $7::int8 OFFSET $8::int8
