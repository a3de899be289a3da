-- key: resourceId
-- reply: custom
-- flags: read positional
-- handler: memory_get_observational_memory_history
-- $1 thread id, $2 resource id, $3 and $4 the range of createdAt (inclusive, with the whole last
-- millisecond: clients see no finer dates), $5 limit, $6 offset.
-- The columns are the reply's fields; the handler turns "chunks" into records. As in the reference,
-- empty texts and zeros become null, and lastBufferedAtTime is cut to the second.
SELECT id, scope, NULLIF("threadId", '') AS "threadId", COALESCE("resourceId", '') AS "resourceId",
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	COALESCE("updatedAtZ", "updatedAt" AT TIME ZONE 'UTC') AS "updatedAt",
	"lastObservedAtZ" AS "lastObservedAt",
	COALESCE(NULLIF("originType", ''), 'initial') AS "originType",
	"generationCount", "activeObservations",
	"bufferedObservationChunks" AS chunks,
	NULLIF("activeObservationsPendingUpdate", '') AS "bufferedObservations",
	NULLIF("bufferedObservationTokens", 0) AS "bufferedObservationTokens",
	NULLIF("bufferedReflection", '') AS "bufferedReflection",
	NULLIF("bufferedReflectionTokens", 0) AS "bufferedReflectionTokens",
	NULLIF("bufferedReflectionInputTokens", 0) AS "bufferedReflectionInputTokens",
	NULLIF("reflectedObservationLineCount", 0) AS "reflectedObservationLineCount",
	CASE WHEN jsonb_typeof("observedMessageIds") = 'array'
		THEN ARRAY(SELECT jsonb_array_elements_text("observedMessageIds")) END AS "observedMessageIds",
	NULLIF("observedTimezone", '') AS "observedTimezone",
	"totalTokensObserved", "observationTokenCount", "pendingMessageTokens",
	"isReflecting", "isObserving", "isBufferingObservation", "isBufferingReflection",
	"lastBufferedAtTokens",
	date_trunc('second', "lastBufferedAtTime") AS "lastBufferedAtTime",
	COALESCE(NULLIF(config, ''), '{}') AS config,
	NULLIF(metadata, 'null'::jsonb) AS metadata
FROM :"schema".mastra_observational_memory
WHERE "lookupKey" = CASE WHEN $1::text <> '' THEN 'thread:' || $1::text ELSE 'resource:' || $2::text END
	AND ($3::timestamptz IS NULL OR "createdAtZ" >= $3::timestamptz)
	AND ($4::timestamptz IS NULL OR "createdAtZ" < $4::timestamptz + interval '1 ms')
ORDER BY "generationCount" DESC, "createdAtZ" DESC, id DESC
LIMIT COALESCE($5::int4, 10) OFFSET COALESCE($6::int4, 0)
