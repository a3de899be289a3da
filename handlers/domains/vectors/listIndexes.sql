-- reply: custom
-- flags: read
-- handler: vectors_list_indexes
-- Lists the tables of the schema ($1) that have the columns of a vector table.
SELECT c.relname AS name
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace AND s.nspname = $1::text
WHERE c.relkind IN ('r', 'p') AND (SELECT count(*) FROM pg_catalog.pg_attribute AS a
	JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
	WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		AND ((a.attname = 'vector_id' AND t.typname = 'text')
			OR (a.attname = 'embedding' AND t.typname IN ('vector', 'halfvec', 'bit', 'sparsevec'))
			OR (a.attname = 'metadata' AND t.typname = 'jsonb'))) = 3
ORDER BY c.relname
