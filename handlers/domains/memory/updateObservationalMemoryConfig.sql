-- key: id
-- reply: none
-- flags: write barrier
-- handler: memory_update_observational_memory_config
-- missing: OBSERVATIONAL_MEMORY_NOT_FOUND Observational memory record not found: {id}
-- codes: INVALID_CONFIG
-- statement: lock
-- $1 id
SELECT config FROM :"schema".mastra_observational_memory WHERE id = $1::text FOR UPDATE
-- statement: store
-- $1 merged config, $2 now, $3 id.
UPDATE :"schema".mastra_observational_memory
SET config = $1::text,
	"updatedAt" = $2::timestamptz AT TIME ZONE 'UTC',
	"updatedAtZ" = $2::timestamptz
WHERE id = $3::text
