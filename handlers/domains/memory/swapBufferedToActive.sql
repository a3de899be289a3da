-- key: id
-- reply: custom
-- flags: write barrier
-- handler: memory_swap_buffered_to_active
-- missing: OBSERVATIONAL_MEMORY_NOT_FOUND Observational memory record not found: {id}
-- statement: lock
-- $1 id
SELECT "bufferedObservationChunks" AS chunks
FROM :"schema".mastra_observational_memory WHERE id = $1::text FOR UPDATE
-- statement: activate
-- $1 observations of the activated chunks, $2 separator from older observations, $3 tokens of the
-- observations, $4 tokens of the messages, $5 number of chunks, $6 last observed, $7 now, $8 id.
UPDATE :"schema".mastra_observational_memory
SET "activeObservations" = COALESCE(NULLIF("activeObservations", '') || $2::text, '') || $1::text,
	"observationTokenCount" = COALESCE("observationTokenCount", 0) + $3::int8,
	"pendingMessageTokens" = GREATEST(0, COALESCE("pendingMessageTokens", 0) - $4::int8),
	"bufferedObservationChunks" = NULLIF(jsonb_path_query_array("bufferedObservationChunks",
		'$[$first to last]', jsonb_build_object('first', $5::int4)), '[]'),
	"lastObservedAt" = $6::timestamptz AT TIME ZONE 'UTC',
	"lastObservedAtZ" = $6::timestamptz,
	"updatedAt" = $7::timestamptz AT TIME ZONE 'UTC',
	"updatedAtZ" = $7::timestamptz
WHERE id = $8::text
