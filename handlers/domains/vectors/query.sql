-- key: indexName
-- reply: custom
-- flags: read barrier detached named
-- handler: vectors_query
-- codes: DIMENSION_MISMATCH, INDEX_NOT_FOUND, INVALID_FILTER, INVALID_INDEX_NAME, INVALID_NAMESPACE,
--   INVALID_QUERY, INVALID_VECTOR
-- The settings last for one query and end with its transaction. enable_sort = off leaves the planner
-- only the vector index for the order. Its cost estimates would often choose a sort, because they
-- ignore the cost of reading vectors from TOAST. With enable_sort = off, plans that need a sort get
-- enormous costs, and PostgreSQL would compile them: jit = off prevents that.
-- statement: hnsw
SELECT set_config('plan_cache_mode', $3::text, true), set_config('jit', 'off', true),
	set_config('enable_sort', 'off', true), set_config('hnsw.ef_search', $1::text, true),
	CASE WHEN $2::bool THEN set_config('hnsw.iterative_scan', 'strict_order', true) END
-- statement: ivfflat
SELECT set_config('plan_cache_mode', $3::text, true), set_config('jit', 'off', true),
	set_config('enable_sort', 'off', true), set_config('ivfflat.probes', $1::text, true),
	CASE WHEN $2::bool THEN set_config('ivfflat.iterative_scan', 'relaxed_order', true) END
-- The stamp changes whenever something changes that a query relies on in the answer of
-- describeIndex's catalog statement ($1 table, $2 schema). Each ALTER writes a new version of one of
-- these catalog rows, with a new xmin. The stamp costs a fraction of that statement.
-- statement: stamp
SELECT concat_ws(' ', c.oid, c.xmin, a.xmin, x.oid, x.xmin, n.xmin, v.oid, v.xmin, i.xmin)
FROM pg_catalog.pg_namespace AS s
JOIN pg_catalog.pg_class AS c ON c.relname = $1::name AND c.relnamespace = s.oid
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'embedding'
JOIN pg_catalog.pg_extension AS x ON x.extname = 'vector'
JOIN pg_catalog.pg_namespace AS n ON n.oid = x.extnamespace
LEFT JOIN (pg_catalog.pg_class AS v JOIN pg_catalog.pg_index AS i ON i.indexrelid = v.oid)
	ON v.relname = ($1::text || '_vector_idx')::name AND v.relnamespace = s.oid
WHERE s.nspname = $2::text
-- statement: exact
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)
