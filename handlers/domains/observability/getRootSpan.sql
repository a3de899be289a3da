-- key: traceId
-- reply: custom
-- flags: read
-- handler: observability_get_root_span
-- codes: SEVERAL_ROOT_SPANS
SELECT "traceId", "spanId", "parentSpanId", name, "spanType", "isEvent",
	"entityType", "entityId", "entityName", "userId", "organizationId",
	"resourceId", "runId", "sessionId", "threadId", "requestId",
	environment, source, "serviceName", scope, attributes, metadata,
	CASE jsonb_typeof(tags) WHEN 'array' THEN
		ARRAY(SELECT COALESCE(tag, 'null') FROM jsonb_array_elements_text(tags) AS tag) END AS tags,
	CASE jsonb_typeof(links) WHEN 'array' THEN
		ARRAY(SELECT link::text FROM jsonb_array_elements(links) AS link) END AS links,
	input, output, error, "startedAtZ" AS "startedAt", "endedAtZ" AS "endedAt",
	"createdAtZ" AS "createdAt", "updatedAtZ" AS "updatedAt"
FROM :"schema".mastra_ai_spans
WHERE "traceId" = $1::text AND "parentSpanId" IS NULL
LIMIT 2
