-- key: threadId
-- reply: none
-- flags: write barrier
-- handler: memory_delete_thread
-- codes: VECTORS_NOT_DELETABLE
-- $1 thread, $2 schema. Returns the vector tables that may hold embeddings of the thread's messages:
-- tables of memory's names that have a JSON column "metadata"; other tables may have such names, too.
-- Deletes nothing if the worker's role may not delete from one of these tables: embeddings would
-- stay behind without their thread.
WITH vectors AS MATERIALIZED (
	SELECT c.relname, (has_table_privilege(c.oid, 'DELETE')
		AND has_column_privilege(c.oid, a.attnum, 'SELECT')) IS FALSE AS forbidden
	FROM pg_catalog.pg_class AS c
	JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
	JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
	WHERE n.nspname = $2::text AND c.relkind IN ('r', 'p')
		AND (c.relname = 'memory_messages' OR c.relname LIKE 'memory_messages_%')
		AND a.attname = 'metadata' AND a.atttypid IN ('jsonb'::regtype, 'json'::regtype)
), messages AS (
	DELETE FROM :"schema".mastra_messages
	WHERE thread_id = $1::text AND NOT EXISTS (SELECT FROM vectors WHERE forbidden)
), threads AS (
	DELETE FROM :"schema".mastra_threads
	WHERE id = $1::text AND NOT EXISTS (SELECT FROM vectors WHERE forbidden)
)
SELECT quote_ident(relname) AS name, forbidden FROM vectors ORDER BY forbidden DESC, relname
