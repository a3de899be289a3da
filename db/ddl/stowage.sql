-- The worker's own tables and functions. They stand only in postgres.schemaName, not in a
-- tenant's schema.
--
-- The number at the end is this file's version: raise it with every change to a table or a
-- function, so that an older and a newer worker never replace each other's in turns.

-- One row a lane: what of a partition is in the database. Every batch updates it, so its pages
-- keep room for the new row version beside the old one (HOT) and no other index may be added.
--   topic_id        the topic's id at Kafka; '' until known
--   epoch           raised by whoever takes the lane; writers of an older epoch are fenced
--   applied         next offset whose effect is not in yet
--   answered        lowest offset whose reply Kafka has not acknowledged
--   claims          how often it was claimed in a row without `answered` moving
--   crash_count     how often the command at crash_offset was begun alone without an end
--- table stowage_offsets
CREATE TABLE IF NOT EXISTS :"schema".stowage_offsets (
	group_id text COLLATE "C" NOT NULL,
	topic text COLLATE "C" NOT NULL,
	partition integer NOT NULL,
	topic_id text NOT NULL DEFAULT '',
	epoch bigint NOT NULL DEFAULT 0,
	applied bigint NOT NULL,
	answered bigint NOT NULL,
	claims integer NOT NULL DEFAULT 0,
	crash_count integer NOT NULL DEFAULT 0,
	crash_offset bigint NOT NULL DEFAULT -1,
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (group_id, topic, partition)
) WITH (fillfactor = 50);

-- Replies and dead letters between a batch's COMMIT and Kafka's acknowledgement: written once,
-- read once, deleted; compressing them would cost more than it saves.
--- table stowage_outbox
CREATE TABLE IF NOT EXISTS :"schema".stowage_outbox (
	group_id text COLLATE "C" NOT NULL,
	topic text COLLATE "C" NOT NULL,
	partition integer NOT NULL,
	seq bigint NOT NULL,
	payload bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (group_id, topic, partition, seq)
);
ALTER TABLE :"schema".stowage_outbox ALTER COLUMN payload SET STORAGE EXTERNAL;

-- Index builds that were asked for: written in the batch that asks, done by a worker's builder on a
-- connection of its own (CREATE INDEX CONCURRENTLY knows no transaction). Those of one index are
-- done in the order of their ids. What is wanted of an index, as JSON:
--   name      of the index
--   method    hnsw, ivfflat, btree; null: there is to be no index of that name
--   opclass   on the column embedding; or field: a btree on that member of the column metadata
--   options   of the method, as texts; none given for ivfflat: by the number of rows
--   keep      any valid index with that operator class will do
-- The other columns:
--   mark      stands in a comment before each statement of the build, so that whoever cancels it
--             finds its backend, also behind a pooler
--   state     waiting, building, done, failed, cancelled
--   token     raised whenever the build, or its answers, get another owner: the last is fenced
--   category, code, error   of a build that failed or was cancelled; error is also why it waits
--   waiters   replies and dead letters without their ends, one behind the other, in the form of
--             worker/kafka/outgoing.h; NULL once Kafka has acknowledged them
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

--- table stowage_schema_version
CREATE TABLE IF NOT EXISTS :"schema".stowage_schema_version (
	version integer NOT NULL PRIMARY KEY,
	applied_at timestamptz NOT NULL DEFAULT now()
);

-- The first statement of a batch. Locks the batch's lanes in the order (topic, partition), so
-- that two workers never wait for each other, and raises SW001 unless every lane still has the
-- epoch and the next offset that the worker believes in; a COMMIT already on its way then rolls
-- back. DETAIL names the stale lanes: their 0-based places in the arrays, parted by commas.
-- It runs with every batch: the settings keep one plan, that of an index scan a lane; without
-- them each call is planned anew (ten times dearer).
--- function stowage_fence
CREATE OR REPLACE FUNCTION :"schema".stowage_fence(p_group text, p_topics text[],
	p_partitions integer[], p_epochs bigint[], p_expected bigint[]) RETURNS void AS $$
DECLARE
	held bigint[];
BEGIN
	SELECT array_agg(place) INTO held FROM (
		SELECT given.place
		FROM unnest(p_topics, p_partitions, p_epochs, p_expected) WITH ORDINALITY
			AS given (topic, partition, epoch, expected, place)
		JOIN :"schema".stowage_offsets AS lane ON lane.group_id = p_group
			AND lane.topic = given.topic AND lane.partition = given.partition
		WHERE lane.epoch = given.epoch AND lane.applied = given.expected
		ORDER BY lane.topic, lane.partition
		FOR UPDATE OF lane) AS locked;
	IF coalesce(cardinality(held), 0) <> cardinality(p_topics) THEN
		RAISE EXCEPTION 'another worker claimed a partition of this batch' USING
			ERRCODE = 'SW001',
			DETAIL = (SELECT string_agg((place - 1)::text, ',' ORDER BY place)
				FROM generate_series(1, cardinality(p_topics)) AS place
				WHERE place <> ALL (coalesce(held, '{}')));
	END IF;
END
$$ LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off;

-- Takes a lane on assignment: raises the epoch, so that whoever had it is fenced, and returns
-- the row. Without a row one is made that starts at p_reset; with p_reset < 0 there is no row
-- then and none is returned. A topic made anew (another topic id than the row's) raises nothing:
-- the caller sees the row's topic_id and stops the lane. '' is an id that is not known.
--- function stowage_claim
CREATE OR REPLACE FUNCTION :"schema".stowage_claim(p_group text, p_topic text,
	p_partition integer, p_topic_id text, p_reset bigint)
RETURNS TABLE (epoch bigint, applied bigint, answered bigint, topic_id text, claims integer,
	crash_count integer, crash_offset bigint) AS $$
	WITH claimed AS (
		UPDATE :"schema".stowage_offsets AS lane SET
			epoch = lane.epoch + CASE WHEN lane.topic_id <> '' AND p_topic_id <> ''
				AND lane.topic_id <> p_topic_id THEN 0 ELSE 1 END,
			topic_id = CASE WHEN lane.topic_id = '' THEN p_topic_id ELSE lane.topic_id END,
			claims = lane.claims + 1,
			updated_at = now()
		WHERE lane.group_id = p_group AND lane.topic = p_topic AND lane.partition = p_partition
		RETURNING lane.*
	), made AS (
		INSERT INTO :"schema".stowage_offsets AS lane
			(group_id, topic, partition, topic_id, epoch, applied, answered, claims)
		SELECT p_group, p_topic, p_partition, p_topic_id, 1, p_reset, p_reset, 1
		WHERE p_reset >= 0 AND NOT EXISTS (SELECT FROM claimed)
		-- Made by someone else in this moment: that row is taken.
		ON CONFLICT (group_id, topic, partition) DO UPDATE SET
			epoch = lane.epoch + CASE WHEN lane.topic_id <> '' AND EXCLUDED.topic_id <> ''
				AND lane.topic_id <> EXCLUDED.topic_id THEN 0 ELSE 1 END,
			topic_id = CASE WHEN lane.topic_id = '' THEN EXCLUDED.topic_id ELSE lane.topic_id END,
			claims = lane.claims + 1,
			updated_at = now()
		RETURNING lane.*
	)
	SELECT lane.epoch, lane.applied, lane.answered, lane.topic_id, lane.claims,
		lane.crash_count, lane.crash_offset
	FROM (SELECT * FROM claimed UNION ALL SELECT * FROM made) AS lane;
$$ LANGUAGE sql;

-- The last statement of a batch: moves its lanes, which the fence has locked, and forgets the
-- attempts. The takes it forgets when `answered` moves: a read that ends its worker each time stands
-- there, while the writes behind it come through. Returns how many lanes it moved: a lane of another epoch is left alone.
--- function stowage_advance
CREATE OR REPLACE FUNCTION :"schema".stowage_advance(p_group text, p_topics text[],
	p_partitions integer[], p_epochs bigint[], p_applied bigint[], p_answered bigint[])
RETURNS integer AS $$
DECLARE
	moved integer;
BEGIN
	UPDATE :"schema".stowage_offsets AS lane SET applied = given.applied, answered = given.answered,
		claims = CASE WHEN given.answered > lane.answered THEN 0 ELSE lane.claims END,
		crash_count = 0, crash_offset = -1, updated_at = now()
	FROM unnest(p_topics, p_partitions, p_epochs, p_applied, p_answered)
		AS given (topic, partition, epoch, applied, answered)
	WHERE lane.group_id = p_group AND lane.topic = given.topic
		AND lane.partition = given.partition AND lane.epoch = given.epoch;
	GET DIAGNOSTICS moved = ROW_COUNT;
	RETURN moved;
END
$$ LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off;

-- The index of that name on the table, in the words of what is wanted, and whether it is valid;
-- NULL if there is none. A name is cut off as PostgreSQL does it.
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

-- Is what there is (or will be: p_have may itself be wanted by a build) what is wanted?
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

-- Asks for a build. True: one is under way, and p_waiter is answered at its end; another build of
-- the index under way that wants as much is joined. False: all that is wanted is there.
--- function stowage_build_ask
CREATE OR REPLACE FUNCTION :"schema".stowage_build_ask(p_schema text, p_index text,
	p_wanted jsonb, p_waiter bytea) RETURNS boolean AS $$
DECLARE
	last record;
BEGIN
	SELECT b.id, b.wanted INTO last FROM :"schema".stowage_vector_builds AS b
	WHERE b.schema_name = p_schema AND b.index_name = p_index
		AND b.state IN ('waiting', 'building')
	ORDER BY b.id DESC LIMIT 1 FOR UPDATE;
	IF FOUND THEN
		IF NOT EXISTS (SELECT FROM jsonb_array_elements(p_wanted) AS item
			WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(last.wanted) AS have
				WHERE :"schema".stowage_index_fits(have, item))) THEN
			UPDATE :"schema".stowage_vector_builds
			SET waiters = coalesce(waiters, '') || p_waiter WHERE id = last.id;
			RETURN true;
		END IF;
	ELSIF NOT EXISTS (SELECT FROM jsonb_array_elements(p_wanted) AS item
		WHERE :"schema".stowage_index_fits(
			:"schema".stowage_index_have(p_schema, p_index, item->>'name'), item) IS NOT TRUE) THEN
		RETURN false;
	END IF;
	-- Of ended ones the last stays, to be described, and of others for a while.
	DELETE FROM :"schema".stowage_vector_builds AS b
	WHERE b.waiters IS NULL AND b.state IN ('done', 'failed', 'cancelled')
		AND (b.schema_name = p_schema AND b.index_name = p_index
			OR b.finished_at < clock_timestamp() - interval '30 days');
	INSERT INTO :"schema".stowage_vector_builds (schema_name, index_name, wanted, waiters)
	VALUES (p_schema, p_index, p_wanted, p_waiter);
	RETURN true;
END
$$ LANGUAGE plpgsql;

-- Takes an index's builds from their owners and cancels the statements they run, so that their
-- locks are let go; to be followed, in the same transaction, by what needs the lock. p_again: a
-- build that was begun is done again afterwards. Else all end here, with the error given.
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

-- Cancels the statement that a build runs, or ends its session.
--- function stowage_build_signal
CREATE OR REPLACE FUNCTION :"schema".stowage_build_signal(p_mark text, p_end boolean)
RETURNS bigint AS $$
	SELECT count(CASE WHEN p_end THEN pg_terminate_backend(a.pid) ELSE pg_cancel_backend(a.pid) END)
	FROM pg_stat_activity AS a
	WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.state = 'active'
		AND a.backend_type = 'client backend'
		AND a.query LIKE '/* stowage build ' || p_mark || ' */%'
$$ LANGUAGE sql;

-- The oldest build of its index that nobody does becomes p_owner's for a while. Whoever had it
-- before may have left a statement running: its session is ended.
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

-- Keeps a build its owner's and writes down how far it is. No row: it is not the owner's any more.
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

-- The statement that brings the table nearer to what the build wants; NULL: it is there. p_drop:
-- only of what a build that failed left invalid (an invalid index still costs every write).
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

-- Ends a build, or lets it wait for another attempt. False: it was not the owner's any more.
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

-- The answers of an ended build become p_owner's to send, for a while; then, by the token, they
-- are told as sent (p_lease NULL), or kept longer.
--- function stowage_build_answers
CREATE OR REPLACE FUNCTION :"schema".stowage_build_answers(p_owner text, p_lease interval)
RETURNS TABLE (id bigint, token bigint, state text, category text, code text, error text,
	waiters bytea) AS $$
	UPDATE :"schema".stowage_vector_builds AS b SET owner = p_owner, token = b.token + 1,
		lease_until = clock_timestamp() + p_lease
	WHERE b.id = (
		SELECT c.id FROM :"schema".stowage_vector_builds AS c
		WHERE c.waiters IS NOT NULL AND c.state IN ('done', 'failed', 'cancelled')
			AND coalesce(c.lease_until < clock_timestamp(), true)
		ORDER BY c.id LIMIT 1 FOR UPDATE SKIP LOCKED)
	RETURNING b.id, b.token, b.state, b.category, b.code, b.error, b.waiters
$$ LANGUAGE sql;

--- function stowage_build_answered
CREATE OR REPLACE FUNCTION :"schema".stowage_build_answered(p_id bigint, p_token bigint,
	p_lease interval) RETURNS void AS $$
	UPDATE :"schema".stowage_vector_builds SET lease_until = clock_timestamp() + p_lease,
		waiters = CASE WHEN p_lease IS NULL THEN NULL ELSE waiters END
	WHERE id = p_id AND token = p_token
$$ LANGUAGE sql;

--- version 4
INSERT INTO :"schema".stowage_schema_version (version) VALUES (:version)
	ON CONFLICT (version) DO NOTHING;
