-- key: traceId
-- reply: custom
-- flags: read
-- handler: observability_get_branch
-- codes: ID_REQUIRED, INVALID_DEPTH
-- $1 trace, $2 span (the anchor), $3 levels below it (null: all). A span has one parent, so the
-- recursion can reach only the anchor twice.
WITH RECURSIVE branch (id, depth) AS (
	SELECT "spanId", 0 FROM :"schema".mastra_ai_spans
	WHERE "traceId" = $1::text AND "spanId" = $2::text
	UNION ALL
	SELECT child."spanId", branch.depth + 1
	FROM branch JOIN :"schema".mastra_ai_spans AS child ON child."parentSpanId" = branch.id
	WHERE child."traceId" = $1::text AND child."spanId" <> $2::text
		AND ($3::int4 IS NULL OR branch.depth < $3::int4)
)
SELECT span."traceId", span."spanId", span."parentSpanId", span.name, span."spanType", span."isEvent",
	span."entityType", span."entityId", span."entityName", span."userId", span."organizationId",
	span."resourceId", span."runId", span."sessionId", span."threadId", span."requestId",
	span.environment, span.source, span."serviceName", span.scope, span.attributes, span.metadata,
	CASE jsonb_typeof(span.tags) WHEN 'array' THEN
		ARRAY(SELECT COALESCE(tag, 'null') FROM jsonb_array_elements_text(span.tags) AS tag) END AS tags,
	CASE jsonb_typeof(span.links) WHEN 'array' THEN
		ARRAY(SELECT link::text FROM jsonb_array_elements(span.links) AS link) END AS links,
	span.input, span.output, span.error, span."startedAtZ" AS "startedAt", span."endedAtZ" AS "endedAt",
	span."createdAtZ" AS "createdAt", span."updatedAtZ" AS "updatedAt"
FROM branch JOIN :"schema".mastra_ai_spans AS span
	ON span."traceId" = $1::text AND span."spanId" = branch.id
ORDER BY branch.depth > 0, span."startedAtZ", branch.depth, span."createdAtZ", span.ctid
