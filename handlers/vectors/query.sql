-- key: indexName
-- reply: custom
-- flags: read barrier beside
-- handler: vectors_query
-- Settings of one query, gone with its transaction. Without a sort the planner has only the vector
-- index to order by, whatever it takes the costs for (it does not know what reading vectors out of
-- line costs). Costs of plans that can't do without a sort are then beyond all measure, for which
-- it would compile them: jit is off.
-- statement: hnsw
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true),
	set_config('enable_sort', 'off', true), set_config('hnsw.ef_search', $1::text, true)
-- statement: ivfflat
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true),
	set_config('enable_sort', 'off', true), set_config('ivfflat.probes', $1::text, true)
-- statement: iterative
SELECT set_config('hnsw.iterative_scan', 'strict_order', true),
	set_config('ivfflat.iterative_scan', 'relaxed_order', true)
-- statement: exact
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)
