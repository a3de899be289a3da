-- key: messageIds[0]
-- reply: none
-- flags: write positional
-- params: messageIds, @now
WITH found AS (
	SELECT id FROM :"schema".mastra_messages WHERE id = ANY ($1::text[])
	ORDER BY id COLLATE "C" FOR UPDATE
), gone AS (
	DELETE FROM :"schema".mastra_messages WHERE id IN (SELECT id FROM found)
	RETURNING thread_id
)
UPDATE :"schema".mastra_threads SET
	"updatedAt" = $2::timestamptz AT TIME ZONE 'UTC',
	"updatedAtZ" = $2::timestamptz
WHERE id IN (
	SELECT id FROM :"schema".mastra_threads WHERE id IN (SELECT thread_id FROM gone)
	ORDER BY id COLLATE "C" FOR NO KEY UPDATE
)
