-- Parts that the statements on scores share.
-- part: score
	id, "scorerId", "traceId", "spanId", "runId", scorer, "preprocessStepResult",
	"extractStepResult", "analyzeStepResult", score, reason, metadata, "preprocessPrompt",
	"extractPrompt", "generateScorePrompt", "generateReasonPrompt", "analyzePrompt",
	"reasonPrompt", input, output, "additionalContext", "requestContext", "entityType", entity,
	"entityId", source, "resourceId", "threadId", "organizationId", "projectId", "batchId",
	"datasetId", "datasetItemId",
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	COALESCE("updatedAtZ", "updatedAt" AT TIME ZONE 'UTC') AS "updatedAt"
FROM :"schema".mastra_scorers AS row
-- part: tenant
	AND (:{filters.organizationId} IS NULL OR "organizationId" = :{filters.organizationId})
	AND (:{filters.projectId} IS NULL OR "projectId" = :{filters.projectId})
	-- A null in the filter matches no score, as in the reference.
	AND coalesce(cardinality(:{filters.isNull}), 0) = 0
ORDER BY :{order row}, row.id DESC
