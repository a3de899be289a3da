-- key: threadId
-- reply: none
-- flags: write barrier
-- handler: memory_delete_thread
-- $1 thread, $2 schema. Answers the vector tables that may hold embeddings of its messages.
WITH messages AS (
	DELETE FROM :"schema".mastra_messages WHERE thread_id = $1::text
), threads AS (
	DELETE FROM :"schema".mastra_threads WHERE id = $1::text
)
SELECT quote_ident(tablename) AS name
FROM pg_catalog.pg_tables
WHERE schemaname = $2::text
	AND (tablename = 'memory_messages' OR tablename LIKE 'memory_messages_%')
ORDER BY tablename
