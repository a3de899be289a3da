-- key: indexName
-- reply: custom
-- flags: read barrier detached named
-- handler: vectors_query
-- Settings of one query, gone with its transaction. Without a sort the planner has only the vector
-- index to order by, whatever it takes the costs for (it does not know what reading vectors out of
-- line costs). Costs of plans that can't do without a sort are then beyond all measure, for which
-- it would compile them: jit is off.
-- statement: hnsw
SELECT set_config('plan_cache_mode', $3::text, true), set_config('jit', 'off', true),
	set_config('enable_sort', 'off', true), set_config('hnsw.ef_search', $1::text, true),
	CASE WHEN $2::bool THEN set_config('hnsw.iterative_scan', 'strict_order', true) END
-- statement: ivfflat
SELECT set_config('plan_cache_mode', $3::text, true), set_config('jit', 'off', true),
	set_config('enable_sort', 'off', true), set_config('ivfflat.probes', $1::text, true),
	CASE WHEN $2::bool THEN set_config('ivfflat.iterative_scan', 'relaxed_order', true) END
-- Changes with all that a query relies on of what describeIndex's catalog statement tells, at some
-- part of its cost ($1 table, $2 schema): each of these rows is written anew when it is altered.
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
