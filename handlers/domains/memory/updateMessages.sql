-- key: messages[0].threadId
-- reply: custom
-- flags: write barrier
-- handler: memory_update_messages
-- codes: INVALID_MESSAGE_CONTENT, MESSAGE_TOO_LARGE

-- statement: lock
SELECT id, content, role, type, thread_id AS "threadId", "resourceId",
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt"
FROM :"schema".mastra_messages
WHERE id = ANY ($1::text[])
ORDER BY id COLLATE "C"
FOR UPDATE

-- statement: change
-- Messages: $1 ids, $2 threads, $3 contents, $4 roles, $5 types, $6 resources; null leaves the column
-- unchanged. $7 threads whose "updatedAt" becomes $8 now.
WITH changed AS (
	UPDATE :"schema".mastra_messages AS m SET
		thread_id = COALESCE(given.thread_id, m.thread_id),
		content = COALESCE(given.content, m.content),
		role = COALESCE(given.role, m.role),
		type = COALESCE(given.type, m.type),
		"resourceId" = COALESCE(given.resource_id, m."resourceId")
	FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
		AS given (id, thread_id, content, role, type, resource_id)
	WHERE m.id = given.id
)
UPDATE :"schema".mastra_threads SET
	"updatedAt" = $8::timestamptz AT TIME ZONE 'UTC',
	"updatedAtZ" = $8::timestamptz
WHERE id IN (
	SELECT id FROM :"schema".mastra_threads WHERE id = ANY ($7::text[])
	ORDER BY id COLLATE "C" FOR NO KEY UPDATE
)

-- statement: result
SELECT m.id, m.content, m.role, m.type, m.thread_id AS "threadId", m."resourceId",
	COALESCE(m."createdAtZ", m."createdAt" AT TIME ZONE 'UTC') AS "createdAt"
FROM unnest($1::text[]) WITH ORDINALITY AS given (id, place)
JOIN :"schema".mastra_messages AS m ON m.id = given.id
ORDER BY given.place
