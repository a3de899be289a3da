-- key: id
-- reply: none
-- flags: write
-- handler: memory_update_buffered_observations
-- missing: OBSERVATIONAL_MEMORY_NOT_FOUND Observational memory record not found: {id}
-- Appends a chunk. Each cycle is buffered once: a chunk with a known cycle id changes only the times.
-- $1 array with the new chunk, $2 its cycle id, $3 last buffered (null: unchanged), $4 now, $5 id.
UPDATE :"schema".mastra_observational_memory
SET "bufferedObservationChunks" = COALESCE("bufferedObservationChunks", '[]')
		|| CASE WHEN EXISTS (
			SELECT FROM jsonb_array_elements(COALESCE("bufferedObservationChunks", '[]')) AS chunk
			WHERE chunk ->> 'cycleId' = $2::text
		) THEN '[]' ELSE $1::jsonb END,
	"lastBufferedAtTime" = COALESCE($3::timestamptz AT TIME ZONE 'UTC', "lastBufferedAtTime"),
	"updatedAt" = $4::timestamptz AT TIME ZONE 'UTC',
	"updatedAtZ" = $4::timestamptz
WHERE id = $5::text
