-- key: indexName
-- reply: none
-- flags: write barrier named deferred
-- handler: vectors_create_index
-- codes: BUILD_CANCELLED, INDEX_BUILD_FAILED, INDEX_NAME_TAKEN, INDEX_NOT_FOUND, INVALID_DIMENSION,
--   INVALID_INDEX_CONFIG, INVALID_INDEX_NAME, INVALID_INDEX_TYPE, INVALID_METRIC, INVALID_VECTOR_TYPE,
--   NOT_A_VECTOR_INDEX, PGVECTOR_MISSING, TOO_MANY_DIMENSIONS, TOO_MANY_INDEXES, TOO_MANY_WAITERS,
--   UNSUPPORTED_INDEX_TYPE, VECTOR_TYPE_NOT_SUPPORTED
-- The batch creates the table; the index builder of a worker builds the index (db/ddl/stowage_builds.sql).
-- The other commands on indexes run these statements too.
-- statement: lock
-- Serialises the commands that create, build, empty or drop an index of one name.
SELECT pg_advisory_xact_lock(hashtextextended(format('stowage vectors %I.%I', $1::text, $2::text), 0))
-- statement: find
-- Reads what exists under the index's name, and what pgvector offers.
WITH extension AS (
	SELECT n.nspname::text AS home, to_regtype(format('%I.halfvec', n.nspname)) IS NOT NULL AS modern
	FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
	WHERE e.extname = 'vector'
), target AS (
	SELECT c.oid, c.relkind FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE n.nspname = $1::text AND c.relname = $2::text
), part AS (
	SELECT a.attname, t.typname::text, a.atttypmod
	FROM target JOIN pg_attribute AS a ON a.attrelid = target.oid AND a.attnum > 0
		AND NOT a.attisdropped
	JOIN pg_type AS t ON t.oid = a.atttypid
)
SELECT (SELECT home FROM extension) AS home,
	coalesce((SELECT modern FROM extension), true) AS modern,
	EXISTS (SELECT FROM pg_available_extension_versions AS v
		JOIN pg_roles AS r ON r.rolname = current_user
		WHERE v.name = 'vector' AND (r.rolsuper OR NOT v.superuser OR v.trusted)
			AND (r.rolsuper OR has_database_privilege(current_database(), 'CREATE'))) AS installable,
	EXISTS (SELECT FROM target) AS present,
	EXISTS (SELECT FROM target WHERE relkind IN ('r', 'p'))
		AND EXISTS (SELECT FROM part WHERE attname = 'vector_id' AND typname = 'text')
		AND EXISTS (SELECT FROM part WHERE attname = 'metadata' AND typname = 'jsonb') AS vectors,
	(SELECT typname FROM part WHERE attname = 'embedding') AS type,
	(SELECT atttypmod FROM part WHERE attname = 'embedding') AS dimension
-- statement: ask
SELECT :"schema".stowage_build_ask($1::text, $2::text, $3::jsonb, $4::bytea)
-- statement: repeat
-- Before a repeated command: did its build fail, so that it must be asked for again?
SELECT coalesce((SELECT state FROM :"schema".stowage_vector_builds
	WHERE schema_name = $1::text AND index_name = $2::text
	ORDER BY id DESC LIMIT 1) IN ('failed', 'cancelled'), false)
-- statement: cancel
SELECT :"schema".stowage_build_cancel($1::text, $2::text, $3::bool, $4::text, $5::text, $6::text)
