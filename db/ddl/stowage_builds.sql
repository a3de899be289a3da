-- The worker's own tables and functions for index builds. They exist only in postgres.schemaName, not in a
-- tenant's schema. Raise the version at the end of stowage.sql with every change.

-- Requested index builds. The batch that requests a build inserts the row; a worker's builder runs
-- the build on its own connection, because CREATE INDEX CONCURRENTLY cannot run in a transaction.
-- Builds of the same table run in the order of their ids.
--   schema_name, index_name   the vector table
--   wanted      a JSON array, one object per index that the table must have, or must not have:
--       name      the index's name
--       method    hnsw, ivfflat or btree; null: no index of this name may exist
--       opclass   the operator class on the column embedding
--       field     instead of opclass: a btree on this member of the column metadata
--       options   the method's options, as texts; ivfflat without options: lists follow the row count
--       keep      accept any valid index with the same operator class
--   mark        a comment with this text begins each statement of the build, so that a cancellation
--               finds the backend, also behind a pooler
--   state       waiting, building, done, failed or cancelled
--   owner       the builder that runs the build, or that sends its replies
--   token       raised whenever the build or its replies change owner; fences the previous owner
--   lease_until after this time another builder may claim the build or its replies
--   retry_at    the earliest time of the next attempt
--   pid, phase, done, total   the progress, from pg_stat_progress_create_index
--   category, code, error     why the build failed or was cancelled; error also tells why it waits
--   waiters     what stowage_vector_waiters holds now; older releases wrote it
--- table stowage_vector_builds
CREATE TABLE IF NOT EXISTS :"schema".stowage_vector_builds (
	id bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	schema_name text COLLATE "C" NOT NULL,
	index_name text COLLATE "C" NOT NULL,
	wanted jsonb NOT NULL,
	mark text NOT NULL DEFAULT md5(random()::text || clock_timestamp()::text),
	state text NOT NULL DEFAULT 'waiting',
	owner text NOT NULL DEFAULT '',
	token bigint NOT NULL DEFAULT 0,
	lease_until timestamptz,
	retry_at timestamptz,
	attempts integer NOT NULL DEFAULT 0,
	pid integer,
	phase text,
	done bigint,
	total bigint,
	category text,
	code text,
	error text,
	waiters bytea,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	started_at timestamptz,
	finished_at timestamptz
);

-- The commands that wait for a build: one row per command. They have a table of their own, so that a
-- command which joins a build never locks the build's row: its owner must be able to renew the lease.
--   build_id    stowage_vector_builds.id
--   reply       the reply or dead letter to send when the build ends, without its result, as
--               worker/kafka/outgoing.h writes it (a row from an older release: several of them). The
--               row goes when Kafka has acknowledged it
--   token       the build's token for which the row was given to a sender
--- table stowage_vector_waiters
CREATE TABLE IF NOT EXISTS :"schema".stowage_vector_waiters (
	id bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	build_id bigint NOT NULL,
	reply bytea NOT NULL,
	token bigint NOT NULL DEFAULT -1
);

--- index stowage_vector_waiters_build_idx
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".stowage_vector_waiters (build_id, id);

-- Describes the table's index of this name in the form of `wanted`, with `valid`; NULL if there is
-- none. The cast to name cuts a long name off as CREATE INDEX does.
--- function stowage_index_have
CREATE OR REPLACE FUNCTION :"schema".stowage_index_have(p_schema text, p_table text, p_name text)
RETURNS jsonb AS $$
	SELECT jsonb_build_object('name', p_name, 'method', am.amname, 'opclass', opc.opcname,
		'valid', i.indisvalid AND i.indisready,
		'options', coalesce((SELECT jsonb_object_agg(option.option_name, option.option_value)
			FROM pg_options_to_table(c.reloptions) AS option), '{}'))
	FROM pg_class AS c
	JOIN pg_index AS i ON i.indexrelid = c.oid
	JOIN pg_class AS t ON t.oid = i.indrelid
	JOIN pg_namespace AS n ON n.oid = t.relnamespace
	JOIN pg_am AS am ON am.oid = c.relam
	JOIN pg_opclass AS opc ON opc.oid = i.indclass[0]
	WHERE n.nspname = p_schema::name AND t.relname = p_table::name AND c.relname = p_name::name
$$ LANGUAGE sql STABLE;

-- Does an index satisfy what is wanted? p_have describes an existing index, or one that another
-- build wants.
--- function stowage_index_fits
CREATE OR REPLACE FUNCTION :"schema".stowage_index_fits(p_have jsonb, p_wanted jsonb)
RETURNS boolean AS $$
	SELECT CASE
		WHEN p_have IS NULL THEN p_wanted->'method' = 'null'
		WHEN p_have->'valid' = 'false' OR (p_have ? 'keep' AND NOT p_wanted ? 'keep') THEN false
		WHEN p_wanted ? 'keep' THEN p_have->'method' <> 'null'
			AND p_have @> (p_wanted - '{method,options,keep}'::text[])
		ELSE p_have @> (p_wanted - 'field'::text) END
$$ LANGUAGE sql IMMUTABLE;

-- Requests a build. True: a build is pending, and p_waiter gets its reply when it ends. If the
-- table's last pending build covers everything that is wanted, the request joins that build. False:
-- every wanted index exists already. NULL: too many commands wait for that build. The caller holds
-- the lock on the index's name, so only the build's owner changes its row meanwhile. It may end the
-- build: the waiter is then answered all the same.
--- function stowage_build_ask
CREATE OR REPLACE FUNCTION :"schema".stowage_build_ask(p_schema text, p_index text,
	p_wanted jsonb, p_waiter bytea) RETURNS boolean AS $$
DECLARE
	last record;
	asked bigint;
BEGIN
	SELECT b.id, b.wanted INTO last FROM :"schema".stowage_vector_builds AS b
	WHERE b.schema_name = p_schema AND b.index_name = p_index
		AND b.state IN ('waiting', 'building')
	ORDER BY b.id DESC LIMIT 1;
	IF FOUND THEN
		IF NOT EXISTS (SELECT FROM jsonb_array_elements(p_wanted) AS item
			WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(last.wanted) AS have
				WHERE :"schema".stowage_index_fits(have, item))) THEN
			IF EXISTS (SELECT FROM :"schema".stowage_vector_waiters AS w
				WHERE w.build_id = last.id OFFSET 999) THEN
				RETURN NULL;
			END IF;
			INSERT INTO :"schema".stowage_vector_waiters (build_id, reply)
			VALUES (last.id, p_waiter);
			RETURN true;
		END IF;
	ELSIF NOT EXISTS (SELECT FROM jsonb_array_elements(p_wanted) AS item
		WHERE :"schema".stowage_index_fits(
			:"schema".stowage_index_have(p_schema, p_index, item->>'name'), item) IS NOT TRUE) THEN
		RETURN false;
	END IF;
	-- Delete this table's ended builds, which the new one replaces, and any that ended 30 days ago.
	DELETE FROM :"schema".stowage_vector_builds AS b
	WHERE b.waiters IS NULL AND b.state IN ('done', 'failed', 'cancelled')
		AND NOT EXISTS (SELECT FROM :"schema".stowage_vector_waiters AS w WHERE w.build_id = b.id)
		AND (b.schema_name = p_schema AND b.index_name = p_index
			OR b.finished_at < clock_timestamp() - interval '30 days');
	INSERT INTO :"schema".stowage_vector_builds (schema_name, index_name, wanted)
	VALUES (p_schema, p_index, p_wanted) RETURNING id INTO asked;
	INSERT INTO :"schema".stowage_vector_waiters (build_id, reply) VALUES (asked, p_waiter);
	RETURN true;
END
$$ LANGUAGE plpgsql;

-- Takes a table's builds from their owners and cancels the running statements, so that they release
-- their locks. The caller's statement that needs the lock follows in the same transaction. p_again:
-- a running build starts again afterwards. Otherwise all pending builds end with the given error.
--- function stowage_build_cancel
CREATE OR REPLACE FUNCTION :"schema".stowage_build_cancel(p_schema text, p_index text,
	p_again boolean, p_category text, p_code text, p_error text) RETURNS integer AS $$
DECLARE
	build record;
	cancelled integer := 0;
BEGIN
	FOR build IN
		UPDATE :"schema".stowage_vector_builds SET token = token + 1, lease_until = NULL,
			retry_at = NULL, pid = NULL, phase = NULL, done = NULL, total = NULL,
			state = CASE WHEN p_again THEN 'waiting' ELSE 'cancelled' END,
			category = p_category, code = p_code, error = p_error,
			finished_at = CASE WHEN p_again THEN NULL ELSE clock_timestamp() END
		WHERE schema_name = p_schema AND index_name = p_index
			AND (state = 'building' OR state = 'waiting' AND NOT p_again)
		RETURNING mark
	LOOP
		cancelled := cancelled + 1;
		PERFORM :"schema".stowage_build_signal(build.mark, false);
	END LOOP;
	RETURN cancelled;
END
$$ LANGUAGE plpgsql;

-- Cancels a build's running statement or, with p_end, terminates its session. Returns the number of
-- sessions.
--- function stowage_build_signal
CREATE OR REPLACE FUNCTION :"schema".stowage_build_signal(p_mark text, p_end boolean)
RETURNS bigint AS $$
	SELECT count(CASE WHEN p_end THEN pg_terminate_backend(a.pid) ELSE pg_cancel_backend(a.pid) END)
	FROM pg_stat_activity AS a
	WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.state = 'active'
		AND a.backend_type = 'client backend'
		AND a.query LIKE '/* stowage build ' || p_mark || ' */%'
$$ LANGUAGE sql;

-- Claims a build for p_owner and returns it: the oldest one that waits or whose lease has expired,
-- if no older build of the same table is pending. Terminates the session in which a previous owner
-- may have left a statement running.
--- function stowage_build_claim
CREATE OR REPLACE FUNCTION :"schema".stowage_build_claim(p_owner text, p_lease interval)
RETURNS TABLE (id bigint, token bigint, mark text, schema_name text, index_name text,
	attempts integer) AS $$
DECLARE
	build record;
BEGIN
	UPDATE :"schema".stowage_vector_builds AS b SET state = 'building', owner = p_owner,
		token = b.token + 1, lease_until = clock_timestamp() + p_lease, attempts = b.attempts + 1,
		pid = NULL, phase = NULL, done = NULL, total = NULL,
		started_at = coalesce(b.started_at, clock_timestamp())
	WHERE b.id = (
		SELECT c.id FROM :"schema".stowage_vector_builds AS c
		WHERE (c.state = 'waiting' AND coalesce(c.retry_at <= clock_timestamp(), true)
				OR c.state = 'building' AND c.lease_until < clock_timestamp())
			AND NOT EXISTS (SELECT FROM :"schema".stowage_vector_builds AS older
				WHERE older.schema_name = c.schema_name AND older.index_name = c.index_name
					AND older.id < c.id AND older.state IN ('waiting', 'building'))
		ORDER BY c.id LIMIT 1 FOR UPDATE SKIP LOCKED)
	RETURNING b.* INTO build;
	IF build.id IS NULL THEN
		RETURN;
	END IF;
	IF build.attempts > 1 THEN
		PERFORM :"schema".stowage_build_signal(build.mark, true);
	END IF;
	RETURN QUERY SELECT build.id, build.token, build.mark, build.schema_name, build.index_name,
		build.attempts;
END
$$ LANGUAGE plpgsql;

-- Extends a build's lease and stores its progress. Returns no row if another owner has the build.
--- function stowage_build_renew
CREATE OR REPLACE FUNCTION :"schema".stowage_build_renew(p_id bigint, p_token bigint,
	p_lease interval) RETURNS TABLE (phase text, done bigint, total bigint) AS $$
	UPDATE :"schema".stowage_vector_builds AS b SET
		lease_until = clock_timestamp() + p_lease,
		pid = coalesce(seen.pid, b.pid),
		phase = coalesce(seen.phase, b.phase),
		done = CASE WHEN seen.pid IS NULL THEN b.done ELSE seen.done END,
		total = CASE WHEN seen.pid IS NULL THEN b.total ELSE seen.total END
	FROM (SELECT p.pid, p.phase,
			CASE WHEN p.lockers_total > 0 THEN p.lockers_done
				WHEN p.blocks_total > 0 THEN p.blocks_done ELSE p.tuples_done END AS done,
			CASE WHEN p.lockers_total > 0 THEN p.lockers_total
				WHEN p.blocks_total > 0 THEN p.blocks_total ELSE p.tuples_total END AS total
		FROM :"schema".stowage_vector_builds AS own
		LEFT JOIN pg_stat_progress_create_index AS p ON p.datname = current_database()
			AND p.relid = to_regclass(format('%I.%I', own.schema_name, own.index_name))
		WHERE own.id = p_id LIMIT 1) AS seen
	WHERE b.id = p_id AND b.token = p_token AND b.state = 'building'
	RETURNING b.phase, b.done, b.total
$$ LANGUAGE sql;

-- Returns the next statement that the build has to run; NULL: the table has all that the build
-- wants. With p_drop it only drops the invalid indexes that a failed build left: they cost every
-- write.
--- function stowage_build_step
CREATE OR REPLACE FUNCTION :"schema".stowage_build_step(p_id bigint, p_drop boolean)
RETURNS text AS $$
DECLARE
	build record;
	item jsonb;
	have jsonb;
	options jsonb;
	row_count bigint;
BEGIN
	SELECT b.* INTO STRICT build FROM :"schema".stowage_vector_builds AS b WHERE b.id = p_id;
	FOR item IN SELECT jsonb_array_elements(build.wanted) LOOP
		have := :"schema".stowage_index_have(build.schema_name, build.index_name, item->>'name');
		CONTINUE WHEN :"schema".stowage_index_fits(have, item)
			OR p_drop AND (have->'valid' = 'false') IS NOT TRUE;
		IF have IS NOT NULL THEN
			RETURN format('/* stowage build %s */ DROP INDEX CONCURRENTLY IF EXISTS %I.%I',
				build.mark, build.schema_name, (item->>'name')::name);
		END IF;
		options := item->'options';
		IF options IS NULL AND item->>'method' = 'ivfflat' THEN
			EXECUTE format('SELECT count(*) FROM %I.%I', build.schema_name, build.index_name)
				INTO row_count;
			options := jsonb_build_object('lists',
				greatest(100, least(4000, floor(sqrt(row_count) * 2)))::text);
		END IF;
		RETURN format('/* stowage build %s */ '
			'CREATE INDEX CONCURRENTLY %I ON %I.%I USING %I (%s)%s', build.mark,
			(item->>'name')::name, build.schema_name, build.index_name, item->>'method',
			CASE WHEN item ? 'field' THEN format('(metadata ->> %L)', item->>'field')
				ELSE (SELECT format('embedding %I.%I', n.nspname, opc.opcname)
					FROM pg_opclass AS opc
					JOIN pg_namespace AS n ON n.oid = opc.opcnamespace
					JOIN pg_am AS am ON am.oid = opc.opcmethod
					WHERE opc.opcname = item->>'opclass' AND am.amname = item->>'method') END,
			(SELECT ' WITH (' || string_agg(format('%I = %L', o.key, o.value), ', ') || ')'
				FROM jsonb_each_text(options) AS o));
	END LOOP;
	RETURN NULL;
END
$$ LANGUAGE plpgsql;

-- Ends a build, or lets it wait for another attempt after p_retry. False: another owner has the
-- build.
--- function stowage_build_end
CREATE OR REPLACE FUNCTION :"schema".stowage_build_end(p_id bigint, p_token bigint, p_state text,
	p_retry interval, p_category text, p_code text, p_error text) RETURNS boolean AS $$
DECLARE
	ended integer;
BEGIN
	UPDATE :"schema".stowage_vector_builds SET state = p_state, token = token + 1,
		lease_until = NULL, pid = NULL, retry_at = clock_timestamp() + p_retry,
		finished_at = CASE WHEN p_state = 'waiting' THEN NULL ELSE clock_timestamp() END,
		category = p_category, code = p_code, error = p_error
	WHERE id = p_id AND token = p_token AND state = 'building';
	GET DIAGNOSTICS ended = ROW_COUNT;
	RETURN ended > 0;
END
$$ LANGUAGE plpgsql;

-- Claims replies of one ended build for p_owner and returns them, concatenated: up to 1,000, and no
-- more than a megabyte unless the first is larger. stowage_build_answered then extends the lease or, with
-- p_lease NULL, deletes these replies after Kafka has acknowledged them; the next call returns the rest.
--- function stowage_build_answers
CREATE OR REPLACE FUNCTION :"schema".stowage_build_answers(p_owner text, p_lease interval)
RETURNS TABLE (id bigint, token bigint, state text, category text, code text, error text,
	waiters bytea) AS $$
DECLARE
	build record;
BEGIN
	-- What an older release has stored with the build.
	FOR build IN SELECT b.id, b.waiters FROM :"schema".stowage_vector_builds AS b
		WHERE b.waiters IS NOT NULL FOR UPDATE SKIP LOCKED
	LOOP
		INSERT INTO :"schema".stowage_vector_waiters (build_id, reply)
		VALUES (build.id, build.waiters);
		UPDATE :"schema".stowage_vector_builds AS b SET waiters = NULL WHERE b.id = build.id;
	END LOOP;
	UPDATE :"schema".stowage_vector_builds AS b SET owner = p_owner, token = b.token + 1,
		lease_until = clock_timestamp() + p_lease
	WHERE b.id = (
		SELECT c.id FROM :"schema".stowage_vector_builds AS c
		WHERE EXISTS (SELECT FROM :"schema".stowage_vector_waiters AS w WHERE w.build_id = c.id)
			AND c.state IN ('done', 'failed', 'cancelled')
			AND coalesce(c.lease_until < clock_timestamp(), true)
		ORDER BY c.id LIMIT 1 FOR UPDATE SKIP LOCKED)
	RETURNING b.* INTO build;
	IF build.id IS NULL THEN
		RETURN;
	END IF;
	UPDATE :"schema".stowage_vector_waiters AS w SET token = build.token
	WHERE w.id IN (SELECT s.id FROM (
			SELECT c.id, sum(length(c.reply)) OVER (ORDER BY c.id) - length(c.reply) AS before
			FROM :"schema".stowage_vector_waiters AS c
			WHERE c.build_id = build.id ORDER BY c.id LIMIT 1000) AS s
		WHERE s.before < 1048576);
	RETURN QUERY SELECT build.id, build.token, build.state, build.category, build.code, build.error,
		(SELECT string_agg(w.reply, ''::bytea ORDER BY w.id)
		FROM :"schema".stowage_vector_waiters AS w
		WHERE w.build_id = build.id AND w.token = build.token);
END
$$ LANGUAGE plpgsql;

--- function stowage_build_answered
CREATE OR REPLACE FUNCTION :"schema".stowage_build_answered(p_id bigint, p_token bigint,
	p_lease interval) RETURNS void AS $$
	WITH ours AS (
		UPDATE :"schema".stowage_vector_builds SET lease_until = clock_timestamp() + p_lease
		WHERE id = p_id AND token = p_token
		RETURNING id, token
	)
	DELETE FROM :"schema".stowage_vector_waiters AS w USING ours
	WHERE p_lease IS NULL AND w.build_id = ours.id AND w.token = ours.token
$$ LANGUAGE sql;
