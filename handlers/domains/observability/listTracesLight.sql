-- reply: custom
-- flags: read detached
-- absent: null metadata
-- handler: observability_list_traces
-- codes: INVALID_FILTER, INVALID_IS_NULL, INVALID_MODE, INVALID_ORDER, INVALID_PAGE, INVALID_STATUS
-- The page of listTraces, whose statement also counts. The reply has only a preview of the input.
-- statement: page
SELECT root."traceId", root."spanId", root."parentSpanId", root.name, root."spanType",
	root."isEvent", root."entityType", root."entityId", root."entityName", root.error,
	root.metadata, root.input, root."startedAtZ" AS "startedAt", root."endedAtZ" AS "endedAt",
	root."createdAtZ" AS "createdAt", root."updatedAtZ" AS "updatedAt"
FROM :"schema".mastra_ai_spans AS root
WHERE root."parentSpanId" IS NULL
	AND ($1::timestamptz IS NULL OR root."startedAtZ" >= $1::timestamptz)
	AND ($2::timestamptz IS NULL OR root."startedAtZ" <= $2::timestamptz)
	AND ($3::timestamptz IS NULL OR root."endedAtZ" >= $3::timestamptz)
	AND ($4::timestamptz IS NULL OR root."endedAtZ" <= $4::timestamptz)
	AND ($5::text IS NULL OR root."spanType" = $5::text)
	AND ($6::text IS NULL OR root."entityType" = $6::text)
	AND ($7::text IS NULL OR root."entityId" = $7::text)
	AND ($8::text IS NULL OR root."entityName" = $8::text)
	AND ($9::text IS NULL OR root."userId" = $9::text)
	AND ($10::text IS NULL OR root."organizationId" = $10::text)
	AND ($11::text IS NULL OR root."resourceId" = $11::text)
	AND ($12::text IS NULL OR root."runId" = $12::text)
	AND ($13::text IS NULL OR root."sessionId" = $13::text)
	AND ($14::text IS NULL OR root."threadId" = $14::text)
	AND ($15::text IS NULL OR root."requestId" = $15::text)
	AND ($16::text IS NULL OR root.environment = $16::text)
	AND ($17::text IS NULL OR root.source = $17::text)
	AND ($18::text IS NULL OR root."serviceName" = $18::text)
	AND ($19::jsonb IS NULL OR root.scope @> $19::jsonb)
	AND ($20::jsonb IS NULL OR root.metadata @> $20::jsonb)
	AND ($21::jsonb IS NULL OR root.tags @> $21::jsonb)
	AND CASE $22::text
		WHEN 'error' THEN root.error IS NOT NULL
		WHEN 'running' THEN root."endedAtZ" IS NULL AND root.error IS NULL
		WHEN 'success' THEN root."endedAtZ" IS NOT NULL AND root.error IS NULL
		ELSE true END
	AND ($23::bool IS NULL OR $23::bool = EXISTS (
		SELECT FROM :"schema".mastra_ai_spans AS span
		WHERE span."traceId" = root."traceId" AND span.error IS NOT NULL))
ORDER BY
	CASE WHEN $24::text = 'startedAt DESC' THEN root."startedAtZ" END DESC,
	CASE WHEN $24::text = 'startedAt ASC' THEN root."startedAtZ" END ASC,
	CASE WHEN $24::text = 'endedAt DESC' THEN root."endedAtZ" END DESC NULLS FIRST,
	CASE WHEN $24::text = 'endedAt ASC' THEN root."endedAtZ" END ASC NULLS LAST,
	CASE WHEN right($24::text, 4) = 'DESC' THEN root."traceId" END DESC,
	CASE WHEN right($24::text, 4) = 'DESC' THEN root."spanId" END DESC,
	root."traceId" ASC, root."spanId" ASC
LIMIT $25::int8 OFFSET $26::int8
