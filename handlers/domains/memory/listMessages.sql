-- key: threadId[0]
-- reply: custom
-- flags: read barrier
-- handler: memory_list_messages
-- codes: INVALID_INCLUDE, INVALID_METADATA_FILTER, INVALID_METADATA_KEY, INVALID_METADATA_VALUE,
--   INVALID_ORDER_BY, INVALID_PAGE, INVALID_THREAD_ID
-- Also for listMessagesByResourceId. The handler composes the statements of the page and its total.

-- statement: include
-- $1 message ids; for each, $2 how many messages up to and including it, $3 how many after it; $4
-- resource or null.
SELECT m.id, m.content, m.role, m.type, m.thread_id AS "threadId", m."resourceId",
	COALESCE(m."createdAtZ", m."createdAt" AT TIME ZONE 'UTC') AS "createdAt"
FROM unnest($1::text[], $2::int8[], $3::int8[]) AS wanted (id, before, after)
JOIN :"schema".mastra_messages AS target ON target.id = wanted.id
	AND ($4::text IS NULL OR target."resourceId" = $4::text)
CROSS JOIN LATERAL (
	(SELECT * FROM :"schema".mastra_messages AS near
	WHERE near.thread_id = target.thread_id AND near."createdAt" <= target."createdAt"
		AND ($4::text IS NULL OR near."resourceId" = $4::text)
	ORDER BY near."createdAt" DESC, near.id DESC LIMIT wanted.before)
	UNION ALL
	(SELECT * FROM :"schema".mastra_messages AS near
	WHERE near.thread_id = target.thread_id AND near."createdAt" > target."createdAt"
		AND ($4::text IS NULL OR near."resourceId" = $4::text)
	ORDER BY near."createdAt", near.id LIMIT wanted.after)
) AS m
ORDER BY m."createdAt", m.id
