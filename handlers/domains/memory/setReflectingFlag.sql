-- key: id
-- reply: none
-- flags: write positional
-- params: isReflecting, @now, id
-- missing: OBSERVATIONAL_MEMORY_NOT_FOUND Observational memory record not found: {id}
UPDATE :"schema".mastra_observational_memory
SET "isReflecting" = $1::bool,
	"updatedAt" = $2::timestamptz AT TIME ZONE 'UTC',
	"updatedAtZ" = $2::timestamptz
WHERE id = $3::text
