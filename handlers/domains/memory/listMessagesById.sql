-- key: messageIds[0]
-- reply: custom
-- flags: read
-- handler: memory_list_messages_by_id
SELECT id, content, role, type, thread_id AS "threadId", "resourceId",
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt"
FROM :"schema".mastra_messages
WHERE id = ANY ($1::text[])
ORDER BY mastra_messages."createdAt" DESC, id
