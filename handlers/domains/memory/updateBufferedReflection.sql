-- key: id
-- reply: none
-- flags: write
-- handler: memory_update_buffered_reflection
-- missing: OBSERVATIONAL_MEMORY_NOT_FOUND Observational memory record not found: {id}
-- $1 reflection, $2 its tokens, $3 tokens of its input, $4 lines of its input, $5 now, $6 id.
UPDATE :"schema".mastra_observational_memory
SET "bufferedReflection" = COALESCE(NULLIF("bufferedReflection", '') || E'\n\n', '') || $1::text,
	"bufferedReflectionTokens" = COALESCE("bufferedReflectionTokens", 0) + $2::int4,
	"bufferedReflectionInputTokens" = COALESCE("bufferedReflectionInputTokens", 0) + $3::int4,
	"reflectedObservationLineCount" = $4::int4,
	"updatedAt" = $5::timestamptz AT TIME ZONE 'UTC',
	"updatedAtZ" = $5::timestamptz
WHERE id = $6::text
