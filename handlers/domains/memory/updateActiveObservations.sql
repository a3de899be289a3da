-- key: id
-- reply: none
-- flags: write
-- handler: memory_update_active_observations
-- missing: OBSERVATIONAL_MEMORY_NOT_FOUND Observational memory record not found: {id}
-- $1 observations, $2 last observed, $3 tokens, $4 message ids as json, $5 now, $6 id.
UPDATE :"schema".mastra_observational_memory
SET "activeObservations" = $1::text,
	"lastObservedAt" = $2::timestamptz AT TIME ZONE 'UTC',
	"lastObservedAtZ" = $2::timestamptz,
	"pendingMessageTokens" = 0,
	"observationTokenCount" = $3::int4,
	"totalTokensObserved" = "totalTokensObserved" + $3::int4,
	"observedMessageIds" = $4::jsonb,
	"updatedAt" = $5::timestamptz AT TIME ZONE 'UTC',
	"updatedAtZ" = $5::timestamptz
WHERE id = $6::text
