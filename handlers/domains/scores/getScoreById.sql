-- reply: custom
-- flags: read
-- handler: scores_get_score_by_id
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
WHERE id = $1::text
