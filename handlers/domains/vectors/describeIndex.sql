-- key: indexName
-- reply: custom
-- flags: read barrier named
-- handler: vectors_describe_index
-- codes: INDEX_NOT_FOUND, INVALID_INDEX_NAME
-- Reads what the catalog says about vector tables ($1 names, $2 schema). Every command that composes
-- SQL runs it (handlers/domains/vectors/index.c). A vector table is a table with the columns that
-- listIndexes checks, because other tables may have a column `embedding` too. The vector index is
-- found by its name; an invalid index counts as missing. Tables of older releases of the reference
-- have no namespace, and a unique constraint on vector_id alone.
-- statement: catalog
SELECT c.relname AS name, c.oid, t.typname AS type, t.oid AS type_oid, a.atttypmod AS dimension,
	quote_ident(e.nspname) AS extension_schema, e.iterative, i.method, i.opclass,
	i.m, i.ef_construction, i.lists,
	EXISTS (SELECT FROM pg_catalog.pg_attribute AS n WHERE n.attrelid = c.oid
		AND n.attname = 'namespace' AND n.attnum > 0 AND NOT n.attisdropped) AS has_namespace,
	EXISTS (SELECT FROM pg_catalog.pg_index AS u WHERE u.indrelid = c.oid AND u.indisunique
		AND u.indisvalid AND u.indimmediate AND u.indpred IS NULL AND u.indexprs IS NULL
		AND u.indnkeyatts = 2
		AND (SELECT count(*) FROM pg_catalog.pg_attribute AS k WHERE k.attrelid = c.oid
			AND k.attnum IN (u.indkey[0], u.indkey[1])
			AND k.attname IN ('namespace', 'vector_id')) = 2) AS has_unique,
	quote_ident(CASE WHEN length(c.relname::text) <= 39
		THEN c.relname || '_namespace_vector_id_idx'
		ELSE left(c.relname::text, 23) || '_ns_'
			|| left(encode(sha256(c.relname::text::bytea), 'hex'), 32) || '_idx' END) AS unique_name,
	(SELECT quote_ident(o.conname) FROM pg_catalog.pg_constraint AS o
		WHERE o.conrelid = c.oid AND o.contype = 'u'
		AND pg_catalog.pg_get_constraintdef(o.oid) = 'UNIQUE (vector_id)' LIMIT 1) AS old_unique
FROM unnest($1::text[]) AS given(name)
JOIN pg_catalog.pg_namespace AS s ON s.nspname = $2::text
JOIN pg_catalog.pg_class AS c ON c.relname = given.name::name AND c.relnamespace = s.oid
	AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'embedding'
	AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
	AND t.typname IN ('vector', 'halfvec', 'bit', 'sparsevec')
JOIN pg_catalog.pg_attribute AS d ON d.attrelid = c.oid AND d.attname = 'vector_id'
	AND d.attnum > 0 AND d.atttypid = 'pg_catalog.text'::pg_catalog.regtype
JOIN pg_catalog.pg_attribute AS b ON b.attrelid = c.oid AND b.attname = 'metadata'
	AND b.attnum > 0 AND b.atttypid = 'pg_catalog.jsonb'::pg_catalog.regtype
JOIN (SELECT n.nspname, regexp_split_to_array(substring(x.extversion from '^[0-9]+[.][0-9]+'),
		'[.]')::int[] >= '{0,8}' AS iterative
	FROM pg_catalog.pg_extension AS x
	JOIN pg_catalog.pg_namespace AS n ON n.oid = x.extnamespace
	WHERE x.extname = 'vector') AS e ON true
LEFT JOIN LATERAL (SELECT am.amname AS method, opc.opcname AS opclass,
		(SELECT split_part(o, '=', 2)::int FROM unnest(v.reloptions) AS o
			WHERE o LIKE 'm=%') AS m,
		(SELECT split_part(o, '=', 2)::int FROM unnest(v.reloptions) AS o
			WHERE o LIKE 'ef_construction=%') AS ef_construction,
		(SELECT split_part(o, '=', 2)::int FROM unnest(v.reloptions) AS o
			WHERE o LIKE 'lists=%') AS lists
	FROM pg_catalog.pg_index AS x
	JOIN pg_catalog.pg_class AS v ON v.oid = x.indexrelid
	JOIN pg_catalog.pg_am AS am ON am.oid = v.relam
	JOIN pg_catalog.pg_opclass AS opc ON opc.oid = x.indclass[0]
	WHERE x.indrelid = c.oid AND x.indisvalid
		AND v.relname = (c.relname || '_vector_idx')::name) AS i ON true
