-- key: traceIds[0]
-- reply: none
-- flags: write
-- handler: observability_batch_delete_traces
-- codes: SCOPE_NOT_SUPPORTED
DELETE FROM :"schema".mastra_ai_spans WHERE "traceId" = ANY ($1::text[])
