-- key: runId
-- reply: custom
-- flags: write fold
-- absent: undefined
-- handler: scores_save_score
-- codes: INVALID_CLEAR, INVALID_SCORE
-- One row per score, distinct and sorted by id: $1 to $33 the columns, $34 the time of each call.
-- Replaces all columns of a score that exists.
INSERT INTO :"schema".mastra_scorers (
	id, "scorerId", "traceId", "spanId", "runId", scorer, "preprocessStepResult",
	"extractStepResult", "analyzeStepResult", score, reason, metadata, "preprocessPrompt",
	"extractPrompt", "generateScorePrompt", "generateReasonPrompt", "analyzePrompt",
	"reasonPrompt", input, output, "additionalContext", "requestContext", "entityType", entity,
	"entityId", source, "resourceId", "threadId", "organizationId", "projectId", "batchId",
	"datasetId", "datasetItemId",
	"createdAt", "createdAtZ", "updatedAt", "updatedAtZ")
SELECT
	given.id, given."scorerId", given."traceId", given."spanId", given."runId", given.scorer,
	given."preprocessStepResult", given."extractStepResult", given."analyzeStepResult",
	given.score, given.reason, given.metadata, given."preprocessPrompt", given."extractPrompt",
	given."generateScorePrompt", given."generateReasonPrompt", given."analyzePrompt",
	given."reasonPrompt", given.input, given.output, given."additionalContext",
	given."requestContext", given."entityType", given.entity, given."entityId", given.source,
	given."resourceId", given."threadId", given."organizationId", given."projectId",
	given."batchId", given."datasetId", given."datasetItemId",
	at AT TIME ZONE 'UTC', at, at AT TIME ZONE 'UTC', at
FROM (SELECT
	unnest($1::text[]) AS id, unnest($2::text[]) AS "scorerId", unnest($3::text[]) AS "traceId",
	unnest($4::text[]) AS "spanId", unnest($5::text[]) AS "runId", unnest($6::jsonb[]) AS scorer,
	unnest($7::jsonb[]) AS "preprocessStepResult", unnest($8::jsonb[]) AS "extractStepResult",
	unnest($9::jsonb[]) AS "analyzeStepResult", unnest($10::float8[]) AS score,
	unnest($11::text[]) AS reason, unnest($12::jsonb[]) AS metadata,
	unnest($13::text[]) AS "preprocessPrompt", unnest($14::text[]) AS "extractPrompt",
	unnest($15::text[]) AS "generateScorePrompt", unnest($16::text[]) AS "generateReasonPrompt",
	unnest($17::text[]) AS "analyzePrompt", unnest($18::text[]) AS "reasonPrompt",
	unnest($19::jsonb[]) AS input, unnest($20::jsonb[]) AS output,
	unnest($21::jsonb[]) AS "additionalContext", unnest($22::jsonb[]) AS "requestContext",
	unnest($23::text[]) AS "entityType", unnest($24::jsonb[]) AS entity,
	unnest($25::text[]) AS "entityId", unnest($26::text[]) AS source,
	unnest($27::text[]) AS "resourceId", unnest($28::text[]) AS "threadId",
	unnest($29::text[]) AS "organizationId", unnest($30::text[]) AS "projectId",
	unnest($31::text[]) AS "batchId", unnest($32::text[]) AS "datasetId",
	unnest($33::text[]) AS "datasetItemId",
	unnest($34::timestamptz[]) AS at
) AS given
ON CONFLICT (id) DO UPDATE SET
	"scorerId" = EXCLUDED."scorerId",
	"traceId" = EXCLUDED."traceId",
	"spanId" = EXCLUDED."spanId",
	"runId" = EXCLUDED."runId",
	scorer = EXCLUDED.scorer,
	"preprocessStepResult" = EXCLUDED."preprocessStepResult",
	"extractStepResult" = EXCLUDED."extractStepResult",
	"analyzeStepResult" = EXCLUDED."analyzeStepResult",
	score = EXCLUDED.score,
	reason = EXCLUDED.reason,
	metadata = EXCLUDED.metadata,
	"preprocessPrompt" = EXCLUDED."preprocessPrompt",
	"extractPrompt" = EXCLUDED."extractPrompt",
	"generateScorePrompt" = EXCLUDED."generateScorePrompt",
	"generateReasonPrompt" = EXCLUDED."generateReasonPrompt",
	"analyzePrompt" = EXCLUDED."analyzePrompt",
	"reasonPrompt" = EXCLUDED."reasonPrompt",
	input = EXCLUDED.input,
	output = EXCLUDED.output,
	"additionalContext" = EXCLUDED."additionalContext",
	"requestContext" = EXCLUDED."requestContext",
	"entityType" = EXCLUDED."entityType",
	entity = EXCLUDED.entity,
	"entityId" = EXCLUDED."entityId",
	source = EXCLUDED.source,
	"resourceId" = EXCLUDED."resourceId",
	"threadId" = EXCLUDED."threadId",
	"organizationId" = EXCLUDED."organizationId",
	"projectId" = EXCLUDED."projectId",
	"batchId" = EXCLUDED."batchId",
	"datasetId" = EXCLUDED."datasetId",
	"datasetItemId" = EXCLUDED."datasetItemId",
	"createdAt" = EXCLUDED."createdAt",
	"createdAtZ" = EXCLUDED."createdAtZ",
	"updatedAt" = EXCLUDED."updatedAt",
	"updatedAtZ" = EXCLUDED."updatedAtZ"
