-- key: traceId
-- reply: custom
-- flags: read
-- handler: observability_get_trace
SELECT "traceId", "spanId", "parentSpanId", name, "spanType", "isEvent", "entityType", "entityId",
	"entityName", error, "startedAtZ" AS "startedAt", "endedAtZ" AS "endedAt",
	"createdAtZ" AS "createdAt", "updatedAtZ" AS "updatedAt"
FROM :"schema".mastra_ai_spans
WHERE "traceId" = $1::text
-- Spans of one start: in the order in which they were stored (span_group.h). The reference does not
-- define this order, but has the same.
ORDER BY "startedAtZ", "createdAtZ", ctid
