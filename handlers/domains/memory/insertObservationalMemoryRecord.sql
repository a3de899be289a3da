-- key: resourceId
-- reply: none
-- flags: write
-- handler: memory_insert_observational_memory_record
-- codes: INVALID_CONFIG, INVALID_METADATA, OBSERVATIONAL_MEMORY_EXISTS
-- $1 id, $2 scope, $3 resource id, $4 thread id, $5 observations, $6 origin, $7 config, $8 generation,
-- $9 last observed, $10 last reflection, $11 pending, $12 total and $13 observation tokens,
-- $14 message ids, $15 chunks, $16 buffered reflection, its $17 tokens, $18 input tokens and $19 lines,
-- $20 to $23 observing, reflecting, buffering observation, buffering reflection,
-- $24 and $25 last buffered at tokens and time, $26 time zone, $27 metadata, $28 created, $29 updated.
-- The columns follow the order of enum om_column. An existing row stays as it is.
INSERT INTO :"schema".mastra_observational_memory
	(id, "lookupKey", scope, "resourceId", "threadId", "activeObservations", "originType", config,
	"generationCount", "lastObservedAt", "lastObservedAtZ", "lastReflectionAt", "lastReflectionAtZ",
	"pendingMessageTokens", "totalTokensObserved", "observationTokenCount",
	"observedMessageIds", "bufferedObservationChunks", "bufferedReflection",
	"bufferedReflectionTokens", "bufferedReflectionInputTokens", "reflectedObservationLineCount",
	"isObserving", "isReflecting", "isBufferingObservation", "isBufferingReflection",
	"lastBufferedAtTokens", "lastBufferedAtTime", "observedTimezone", metadata,
	"createdAt", "createdAtZ", "updatedAt", "updatedAtZ")
VALUES ($1::text,
	CASE WHEN $4::text <> '' THEN 'thread:' || $4::text ELSE 'resource:' || $3::text END,
	$2::text, $3::text, NULLIF($4::text, ''), $5::text, $6::text, $7::text,
	$8::int4, $9::timestamptz AT TIME ZONE 'UTC', $9::timestamptz,
	$10::timestamptz AT TIME ZONE 'UTC', $10::timestamptz,
	$11::int4, $12::int4, $13::int4, $14::jsonb, $15::jsonb, NULLIF($16::text, ''),
	$17::int4, $18::int4, $19::int4, $20::bool, $21::bool, $22::bool, $23::bool,
	$24::int4, $25::timestamptz AT TIME ZONE 'UTC', NULLIF($26::text, ''), $27::jsonb,
	$28::timestamptz AT TIME ZONE 'UTC', $28::timestamptz,
	$29::timestamptz AT TIME ZONE 'UTC', $29::timestamptz)
ON CONFLICT (id) DO NOTHING
