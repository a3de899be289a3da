-- key: id
-- reply: none
-- flags: write positional
-- handler: memory_set_pending_message_tokens
-- missing: OBSERVATIONAL_MEMORY_NOT_FOUND Observational memory record not found: {id}
-- $1 tokens, $2 now, $3 id.
UPDATE :"schema".mastra_observational_memory
SET "pendingMessageTokens" = $1::int4,
	"updatedAt" = $2::timestamptz AT TIME ZONE 'UTC',
	"updatedAtZ" = $2::timestamptz
WHERE id = $3::text
