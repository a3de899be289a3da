-- reply: custom
-- flags: write barrier named direct
-- handler: storage_query
-- codes: INVALID_LIMIT, INVALID_PARAMETERS, INVALID_TIMEOUT, PARAMETER_TYPE_MISSING, QUERY_DISABLED,
--   QUERY_ROLE_UNSAFE, READ_ONLY, STATEMENT_NOT_ALLOWED, UNKNOWN_TYPE, WRONG_NUMBER_OF_ROWS
-- The client's statement runs inside of a function that is made for it, belongs to storage.queryRole and is SECURITY
-- DEFINER. SET ROLE alone would hold nobody: the statement, or a function that it calls, could set the role back.
-- PostgreSQL refuses that inside of such a function. See direct.c.
-- statement: path
-- Until the end of the transaction, or the savepoint: names are looked up where the statement will look them up.
SELECT set_config('search_path', format('%I, pg_temp', $1::text), true)
-- statement: guard
-- $1 the role, $2 its types of parameters. `fault` says why the role must not run statements.
SELECT ARRAY(SELECT coalesce(to_regtype(nullif(t.name, ''))::oid::int8, CASE WHEN t.name = '' THEN 0 ELSE -1 END)
		FROM unnest($2::text[]) WITH ORDINALITY AS t (name, place) ORDER BY t.place)::text AS oids,
	current_setting('statement_timeout') AS run, current_setting('lock_timeout') AS lock,
	current_setting('idle_in_transaction_session_timeout') AS idle,
	CASE
	WHEN r.oid IS NULL THEN 'does not exist'
	WHEN NOT pg_has_role(r.oid, 'MEMBER') THEN 'has not the worker''s role as a member: GRANT it to the worker''s role'
	WHEN r.rolsuper OR r.rolcreaterole OR r.rolreplication OR pg_has_role(r.oid, (SELECT u.oid FROM pg_catalog.pg_roles u
			WHERE u.rolname = session_user), 'MEMBER')
		THEN 'has more rights than clients'' statements may have'
	WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_roles p WHERE p.rolname IN ('pg_execute_server_program',
			'pg_read_server_files', 'pg_write_server_files', 'pg_read_all_data', 'pg_write_all_data')
			AND pg_has_role(r.oid, p.oid, 'MEMBER'))
		THEN 'has more rights than clients'' statements may have'
	WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relname LIKE 'stowage\_%' AND n.nspname = $3::text AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
			AND (pg_has_role(r.oid, c.relowner, 'MEMBER') OR CASE WHEN c.relkind = 'S'
				THEN has_sequence_privilege(r.oid, c.oid, 'USAGE, SELECT, UPDATE')
				ELSE has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
					OR has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') END))
		THEN 'has rights on the worker''s own tables (stowage_*): REVOKE them'
	WHEN NOT has_database_privilege(r.oid, current_database(), 'TEMP') THEN 'needs the right TEMP on the database'
	END AS fault
FROM (SELECT $1::text AS name) AS given LEFT JOIN pg_catalog.pg_roles r ON r.rolname = given.name
-- statement: compose
-- Makes the function's text, into which no text of the client goes. $1 lists the types of the parameters, $2 the types
-- of the columns, $3 which parameters are JSON arrays; $4 is the schema, $5 the role. Types of columns are base types.
WITH names AS (
	SELECT o.place, o.oid, o.kind,
		CASE WHEN t.typnamespace <> 'pg_catalog'::regnamespace THEN format_type(o.oid, NULL)
			WHEN e.oid IS NOT NULL THEN e.typname || '[]' ELSE t.typname::text END AS shown,
		format_type(o.oid, NULL) AS type, t.typcategory = 'A' AND o.oid NOT IN (22, 30, 2277) AS is_array,
		CASE WHEN t.typcategory = 'A' AND o.oid NOT IN (22, 30, 2277) THEN t.typelem ELSE o.oid END AS base
	FROM (SELECT 'param', place, oid::oid FROM unnest($1::int8[]) WITH ORDINALITY AS p (oid, place)
		UNION ALL
		SELECT 'column', place, oid::oid FROM unnest($2::int8[]) WITH ORDINALITY AS c (oid, place)) AS o (kind, place, oid)
	LEFT JOIN pg_catalog.pg_type t ON t.oid = o.oid
	LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typlen = -1 AND t.typcategory = 'A'
), parts AS (
	SELECT n.*, format(CASE
		WHEN n.base IN (16, 21, 23, 26, 700, 701, 114, 3802) THEN 'to_json(%s)::text'
		WHEN n.base = 17 THEN 'to_json(translate(encode(%s, ''base64''), E''\n'', ''''))::text'
		WHEN n.base IN (1114, 1184) THEN 'CASE WHEN isfinite(%1$s) THEN to_json(to_char(%1$s, ''YYYY-MM-DD"T"HH24:MI:SS.MS"Z"''))::text ELSE to_json(%1$s::text)::text END'
		ELSE 'to_json(%s::text)::text' END, CASE WHEN n.is_array THEN 'e' ELSE 'c' || n.place END) AS item,
		n.base IN (16, 17, 21, 23, 26, 700, 701, 114, 3802, 1114, 1184) AS typed
	FROM names n WHERE n.kind = 'column'
), columns AS (
	SELECT string_agg(format('c%s %s;', place, CASE WHEN is_array OR typed THEN type ELSE 'text' END), ' ' ORDER BY place) AS variables,
		string_agg('c' || place, ', ' ORDER BY place) AS targets,
		string_agg(format('keys[%s] || coalesce(%s, ''null'')', place, CASE
			WHEN NOT is_array THEN item
			WHEN typed THEN format('CASE WHEN array_ndims(c%1$s) > 1 THEN to_json(c%1$s::text[])::text WHEN cardinality(c%1$s) = 0 THEN ''[]'' WHEN c%1$s IS NOT NULL THEN (SELECT ''['' || string_agg(coalesce(%2$s, ''null''), '','') || '']'' FROM unnest(c%1$s) AS e) END', place, item)
			ELSE format('to_json(c%s::text[])::text', place) END), ', ' ORDER BY place) AS items,
		array_agg(shown ORDER BY place) AS shown
	FROM parts
), params AS (
	SELECT ' USING ' || string_agg(format(CASE WHEN ($3::bool[])[place] AND is_array AND base IN (114, 3802)
			THEN '(ARRAY(SELECT e::text FROM json_array_elements(given[%s]::json) AS e))::%s'
			WHEN ($3::bool[])[place] AND is_array
			THEN '(ARRAY(SELECT e FROM json_array_elements_text(given[%s]::json) AS e))::%s'
			ELSE '(given[%s])::%s' END, place, type), ', ' ORDER BY place) AS using
	FROM names WHERE kind = 'param'
)
SELECT format($ddl$CREATE FUNCTION pg_temp.stowage_direct(statement text, given text[], keys text[], most int8, bytes int8, own_ms int8,
	wanted text, reading bool, patient bool) RETURNS TABLE (kind text, value text) LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = %1$I, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET bytea_output = 'hex'
	SET extra_float_digits = 1 AS %2$L$ddl$, $4::text, format($body$
#variable_conflict use_variable
DECLARE
	began timestamptz := clock_timestamp();
	prepared text[] := ARRAY(SELECT p.name FROM pg_catalog.pg_prepared_statements p ORDER BY p.name);
	number int8 := 0; size int8 := 0; state text; said text; %1$s
BEGIN
	BEGIN
		%2$s
		IF NOT reading THEN SET CONSTRAINTS ALL IMMEDIATE; END IF;
		IF pg_catalog.current_setting('client_encoding') <> 'UTF8' THEN
			RAISE EXCEPTION USING ERRCODE = 'SW012', MESSAGE = 'the statement changed client_encoding';
		END IF;
		IF ARRAY(SELECT p.name FROM pg_catalog.pg_prepared_statements p ORDER BY p.name) <> prepared THEN
			RAISE EXCEPTION USING ERRCODE = 'SW013', MESSAGE = 'the statement changed the prepared statements of the session';
		END IF;
		IF (wanted IN ('one', 'many') AND number = 0) THEN
			RAISE EXCEPTION USING ERRCODE = 'SW014', MESSAGE = 'the statement returned no row';
		ELSIF wanted IN ('one', 'oneOrNone') AND number > 1 THEN
			RAISE EXCEPTION USING ERRCODE = 'SW015', MESSAGE = 'the statement returned more than one row';
		END IF;
	EXCEPTION
	WHEN query_canceled THEN
		IF own_ms IS NULL OR clock_timestamp() - began < own_ms * interval '1 ms' THEN RAISE; END IF;
		kind := 'failed'; state := '57014'; value := '57014the statement ran for the time that timeoutMs allows'; RETURN NEXT;
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, said = MESSAGE_TEXT;
		IF patient AND (state LIKE '40%%' OR state = '55P03') THEN RAISE; END IF;
		kind := 'failed'; value := state || said; RETURN NEXT;
	END;
	FOR said IN SELECT p.name FROM pg_catalog.pg_prepared_statements p WHERE p.from_sql AND p.name <> ALL (prepared) LOOP
		EXECUTE pg_catalog.format('DEALLOCATE %%I', said);
	END LOOP;
	IF ARRAY(SELECT p.name FROM pg_catalog.pg_prepared_statements p ORDER BY p.name) <> prepared THEN
		kind := 'spoiled'; value := NULL; RETURN NEXT;
	END IF;
	kind := 'end'; value := number; RETURN NEXT;
END $body$, columns.variables, CASE WHEN columns.targets IS NULL
	THEN format('EXECUTE statement%s; GET DIAGNOSTICS number = ROW_COUNT;', params.using)
	ELSE format($loop$FOR %1$s IN EXECUTE statement%2$s LOOP
			IF number >= most AND reading AND wanted NOT IN ('one', 'oneOrNone') THEN kind := 'cut'; RETURN NEXT; EXIT; END IF;
			number := number + 1;
			IF number > most THEN kind := 'cut'; value := NULL; IF number = most + 1 THEN RETURN NEXT; END IF; CONTINUE; END IF;
			CONTINUE WHEN wanted = 'none';
			kind := 'row';
			value := '{' || concat_ws(',', VARIADIC ARRAY[%3$s]::text[]) || '}';
			size := size + octet_length(value) + 5;
			IF size > bytes THEN
				RAISE EXCEPTION USING ERRCODE = 'SW011', MESSAGE = 'the rows are larger than replies.maxBytes: ask for less at a time';
			END IF;
			RETURN NEXT;
		END LOOP;$loop$, columns.targets, params.using, columns.items) END)) AS ddl,
	format('ALTER FUNCTION pg_temp.stowage_direct(text, text[], text[], int8, int8, int8, text, bool, bool) OWNER TO %I', $5::text) AS owner,
	columns.shown
FROM columns, params
-- statement: timeout
-- $1 milliseconds: less than the time that a command may have.
SELECT set_config('statement_timeout', $1::int8::text, true) FROM pg_catalog.pg_settings
WHERE name = 'statement_timeout' AND (setting::int8 = 0 OR setting::int8 > $1::int8)
-- statement: restore
SELECT pg_advisory_unlock_all(), set_config('statement_timeout', $1::text, true), set_config('lock_timeout', $2::text, true),
	set_config('idle_in_transaction_session_timeout', $3::text, true)
