-- key: currentRecord.id
-- reply: custom
-- flags: write
-- handler: memory_swap_buffered_reflection_to_active
-- missing: OBSERVATIONAL_MEMORY_NOT_FOUND Observational memory record not found: {currentRecord.id}
-- codes: INVALID_CONFIG, INVALID_METADATA, NO_BUFFERED_REFLECTION
-- Creates a new generation from the buffered reflection and the lines added after it was made. Returns
-- no row if the record does not exist, and null observations if it has no buffered reflection.
-- The characters are those that JavaScript's trim() removes.
-- $1 id of the current record, $2 of the new one, $3 scope, $4 resource id, $5 thread id, $6 config,
-- $7 generation, $8 last observed, $9 total and $10 observation tokens, $11 time zone, $12 metadata,
-- $13 now.
WITH held AS (
	SELECT "bufferedReflection" AS reflection,
		btrim(array_to_string((string_to_array("activeObservations", E'\n'))
				[COALESCE("reflectedObservationLineCount", 0) + 1:], E'\n'),
			E'\t\n\x0B\f\r \u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009'
			'\u200A\u2028\u2029\u202F\u205F\u3000\uFEFF') AS later
	FROM :"schema".mastra_observational_memory
	WHERE id = $1::text
	FOR UPDATE
), combined AS (
	SELECT reflection || COALESCE(E'\n\n' || NULLIF(later, ''), '') AS observations
	FROM held WHERE reflection <> ''
), created AS (
	INSERT INTO :"schema".mastra_observational_memory
		(id, "lookupKey", scope, "resourceId", "threadId", "activeObservations", "originType", config,
		"generationCount", "lastObservedAt", "lastObservedAtZ", "lastReflectionAt", "lastReflectionAtZ",
		"pendingMessageTokens", "totalTokensObserved", "observationTokenCount",
		"isObserving", "isReflecting", "isBufferingObservation", "isBufferingReflection",
		"lastBufferedAtTokens", "observedTimezone", metadata,
		"createdAt", "createdAtZ", "updatedAt", "updatedAtZ")
	SELECT $2::text,
		CASE WHEN $5::text <> '' THEN 'thread:' || $5::text ELSE 'resource:' || $4::text END,
		$3::text, $4::text, NULLIF($5::text, ''), observations, 'reflection', $6::text,
		$7::int4, $8::timestamptz AT TIME ZONE 'UTC', $8::timestamptz,
		$13::timestamptz AT TIME ZONE 'UTC', $13::timestamptz,
		0, $9::int4, $10::int4, false, false, false, false, 0, NULLIF($11::text, ''), $12::jsonb,
		$13::timestamptz AT TIME ZONE 'UTC', $13::timestamptz,
		$13::timestamptz AT TIME ZONE 'UTC', $13::timestamptz
	FROM combined
), cleared AS (
	UPDATE :"schema".mastra_observational_memory
	SET "bufferedReflection" = NULL,
		"bufferedReflectionTokens" = NULL,
		"bufferedReflectionInputTokens" = NULL,
		"reflectedObservationLineCount" = NULL,
		"updatedAt" = $13::timestamptz AT TIME ZONE 'UTC',
		"updatedAtZ" = $13::timestamptz
	FROM combined
	WHERE id = $1::text
)
SELECT (SELECT observations FROM combined) AS observations FROM held
