-- key: id
-- reply: none
-- flags: write positional
-- handler: memory_set_buffering_observation_flag
-- missing: OBSERVATIONAL_MEMORY_NOT_FOUND Observational memory record not found: {id}
-- $1 flag, $2 tokens (null: unchanged), $3 now, $4 id.
UPDATE :"schema".mastra_observational_memory
SET "isBufferingObservation" = $1::bool,
	"lastBufferedAtTokens" = COALESCE($2::int4, "lastBufferedAtTokens"),
	"updatedAt" = $3::timestamptz AT TIME ZONE 'UTC',
	"updatedAtZ" = $3::timestamptz
WHERE id = $4::text
