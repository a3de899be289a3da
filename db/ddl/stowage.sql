-- The worker's own tables and functions. They exist only in postgres.schemaName, not in a tenant's
-- schema.
--
-- The number at the end is this file's version. Raise it with every change of a table or a
-- function, so that an older and a newer worker do not keep replacing each other's functions.

-- How far each partition is applied: one row per consumer group, topic and partition. Every batch
-- updates its rows. Half of each page stays free for the new row version (HOT), and the table must
-- get no further index.
--   topic_id        the topic's id in Kafka; '' until known
--   epoch           each claim raises it; the fence rejects writers with an older epoch
--   applied         the next offset to apply
--   answered        the lowest offset whose reply Kafka has not acknowledged
--   claims          claims since `answered` last moved
--   crash_count     how often the command at crash_offset began alone and did not end
--   crash_offset    the offset that crash_count counts for; -1: none
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

-- The topics that each group knows, for kafka.offsetReset "latest": what a group meets later, it reads
-- from the beginning. The topic '' stands for the group's first start.
--- table stowage_topics
CREATE TABLE IF NOT EXISTS :"schema".stowage_topics (
	group_id text COLLATE "C" NOT NULL,
	topic text COLLATE "C" NOT NULL,
	known_since timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (group_id, topic)
);

-- Replies and dead letters between a batch's COMMIT and Kafka's acknowledgement: one row per batch
-- and partition. The worker writes each row once and deletes it later; it reads a row only when it
-- claims the partition. So compression costs more than it saves, and STORAGE EXTERNAL switches it
-- off.
--   seq             the epoch in the upper 32 bits, a counter below: no two owners use the same number
--   payload         the messages, in the format of worker/kafka/outgoing.h
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
--   waiters     the replies and dead letters to send when the build ends, concatenated, without their
--               results, as worker/kafka/outgoing.h writes them; NULL once Kafka has acknowledged them
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

-- Keys of applied writes (the header idempotency-key, or ce_source with ce_id) and their first
-- replies. The batch that applies a command takes its key first, so that another batch with the same
-- key waits for its end.
--   schema_name     the schema that the command acted on
--   source          ce_source; '' for the header idempotency-key
--   command, digest   the command, and the SHA-256 of its request: another one is refused
--   taken           the batch in hand took the key; false in every committed row
--   reply           the reply's value, with its framing; NULL in a committed row: the command is
--                   applied, and the index builder replies to it later
--- table stowage_idempotency
CREATE TABLE IF NOT EXISTS :"schema".stowage_idempotency (
	schema_name text COLLATE "C" NOT NULL,
	source text COLLATE "C" NOT NULL,
	key text COLLATE "C" NOT NULL,
	command text NOT NULL,
	digest bytea NOT NULL,
	reply bytea,
	taken boolean NOT NULL DEFAULT true,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (schema_name, source, key)
) WITH (fillfactor = 80);
--- index stowage_idempotency_created_at_idx
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".stowage_idempotency (created_at);

-- The versions of this file that were applied to the schema. The highest one counts.
--- table stowage_schema_version
CREATE TABLE IF NOT EXISTS :"schema".stowage_schema_version (
	version integer NOT NULL PRIMARY KEY,
	applied_at timestamptz NOT NULL DEFAULT now()
);

-- The first statement of a batch. Locks the rows of the batch's partitions in the order (topic,
-- partition), so that two workers cannot deadlock. Raises SW001 unless every row still has the
-- epoch and the next offset that the worker expects; a COMMIT already sent then rolls back. DETAIL
-- lists the 0-based places of the stale partitions in the arrays, separated by commas. The settings
-- make PostgreSQL keep one generic plan with an index scan per row. Without them it plans each call
-- again, which costs ten times as much.
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
		JOIN :"schema".stowage_offsets AS o ON o.group_id = p_group
			AND o.topic = given.topic AND o.partition = given.partition
		WHERE o.epoch = given.epoch AND o.applied = given.expected
		ORDER BY o.topic, o.partition
		FOR UPDATE OF o) AS locked;
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

-- Claims a partition on assignment: raises the epoch, which fences the previous owner, and returns
-- the row. If there is no row, creates one that starts at p_reset; with p_reset < 0 it creates and
-- returns none. If the topic was deleted and created again (its id differs from the row's), the
-- epoch stays, and the caller stops the partition because of the row's topic_id. The id '' is
-- unknown and equals any.
--- function stowage_claim
CREATE OR REPLACE FUNCTION :"schema".stowage_claim(p_group text, p_topic text,
	p_partition integer, p_topic_id text, p_reset bigint)
RETURNS TABLE (epoch bigint, applied bigint, answered bigint, topic_id text, claims integer,
	crash_count integer, crash_offset bigint) AS $$
	WITH claimed AS (
		UPDATE :"schema".stowage_offsets AS o SET
			epoch = o.epoch + CASE WHEN o.topic_id <> '' AND p_topic_id <> ''
				AND o.topic_id <> p_topic_id THEN 0 ELSE 1 END,
			topic_id = CASE WHEN o.topic_id = '' THEN p_topic_id ELSE o.topic_id END,
			claims = o.claims + 1,
			updated_at = now()
		WHERE o.group_id = p_group AND o.topic = p_topic AND o.partition = p_partition
		RETURNING o.*
	), created AS (
		INSERT INTO :"schema".stowage_offsets AS o
			(group_id, topic, partition, topic_id, epoch, applied, answered, claims)
		SELECT p_group, p_topic, p_partition, p_topic_id, 1, p_reset, p_reset, 1
		WHERE p_reset >= 0 AND NOT EXISTS (SELECT FROM claimed)
		-- Another worker has just created the row: claim that one.
		ON CONFLICT (group_id, topic, partition) DO UPDATE SET
			epoch = o.epoch + CASE WHEN o.topic_id <> '' AND EXCLUDED.topic_id <> ''
				AND o.topic_id <> EXCLUDED.topic_id THEN 0 ELSE 1 END,
			topic_id = CASE WHEN o.topic_id = '' THEN EXCLUDED.topic_id ELSE o.topic_id END,
			claims = o.claims + 1,
			updated_at = now()
		RETURNING o.*
	)
	SELECT o.epoch, o.applied, o.answered, o.topic_id, o.claims,
		o.crash_count, o.crash_offset
	FROM (SELECT * FROM claimed UNION ALL SELECT * FROM created) AS o;
$$ LANGUAGE sql;

-- With kafka.offsetReset "latest", a group that is new to a topic starts at the ends of its partitions.
-- This records these ends in one transaction, so a crash or a second worker cannot move a start. p_topics
-- holds all topics that the group reads now; p_named those that kafka.topics names, existing or not; the
-- other arrays the partitions of p_topics, with topic ids and ends. New to the group are all topics at its
-- first start, later only named ones: a pattern that finds a topic later finds a topic made later. A
-- partition without a row starts at its beginning.
--- function stowage_meet
CREATE OR REPLACE FUNCTION :"schema".stowage_meet(p_group text, p_topics text[], p_named text[],
	p_row_topics text[], p_row_partitions integer[], p_row_ids text[], p_row_ends bigint[])
RETURNS void AS $$
DECLARE
	first boolean;
	met text[];
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended('stowage_meet ' || p_group, 0));
	first := NOT EXISTS (SELECT FROM :"schema".stowage_topics WHERE group_id = p_group)
		AND NOT EXISTS (SELECT FROM :"schema".stowage_offsets WHERE group_id = p_group);
	SELECT array_agg(topic) INTO met FROM unnest(p_topics) AS topic
	WHERE (first OR topic = ANY (p_named))
		AND NOT EXISTS (SELECT FROM :"schema".stowage_topics AS t
			WHERE t.group_id = p_group AND t.topic = topic.topic)
		AND NOT EXISTS (SELECT FROM :"schema".stowage_offsets AS o
			WHERE o.group_id = p_group AND o.topic = topic.topic);
	INSERT INTO :"schema".stowage_offsets AS o
		(group_id, topic, partition, topic_id, applied, answered)
	SELECT p_group, given.topic, given.partition, given.id, given.ends, given.ends
	FROM unnest(p_row_topics, p_row_partitions, p_row_ids, p_row_ends)
		AS given (topic, partition, id, ends)
	WHERE given.topic = ANY (met)
	ORDER BY given.topic, given.partition
	ON CONFLICT (group_id, topic, partition) DO NOTHING;
	INSERT INTO :"schema".stowage_topics AS t (group_id, topic)
	SELECT p_group, topic FROM unnest(p_topics || p_named || ''::text) AS topic
	ON CONFLICT (group_id, topic) DO NOTHING;
END
$$ LANGUAGE plpgsql;

-- The last statement of a batch: moves the offsets of its partitions, which the fence has locked,
-- and resets crash_count. It resets `claims` only if `answered` moves: a read that crashes its
-- worker each time holds `answered` back, while the writes behind it are applied. Skips rows with
-- another epoch; returns how many rows it moved.
--- function stowage_advance
CREATE OR REPLACE FUNCTION :"schema".stowage_advance(p_group text, p_topics text[],
	p_partitions integer[], p_epochs bigint[], p_applied bigint[], p_answered bigint[])
RETURNS integer AS $$
DECLARE
	moved integer;
BEGIN
	UPDATE :"schema".stowage_offsets AS o SET applied = given.applied, answered = given.answered,
		claims = CASE WHEN given.answered > o.answered THEN 0 ELSE o.claims END,
		crash_count = 0, crash_offset = -1, updated_at = now()
	FROM unnest(p_topics, p_partitions, p_epochs, p_applied, p_answered)
		AS given (topic, partition, epoch, applied, answered)
	WHERE o.group_id = p_group AND o.topic = given.topic
		AND o.partition = given.partition AND o.epoch = given.epoch;
	GET DIAGNOSTICS moved = ROW_COUNT;
	RETURN moved;
END
$$ LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off;

-- Returns the keys that are known, by their 1-based places: `same` says whether the same command has
-- the key, `reply` is NULL if it is still to come. With p_claim takes the unknown keys first, in one
-- order, so that two batches cannot deadlock; a batch waits for another that has taken a key. A key
-- older than p_keep milliseconds is unknown. The settings are stowage_fence's.
--- function stowage_idempotency_claim
CREATE OR REPLACE FUNCTION :"schema".stowage_idempotency_claim(p_schema text, p_sources text[],
	p_keys text[], p_commands text[], p_digests bytea[], p_claim boolean, p_keep bigint)
RETURNS TABLE (place bigint, same boolean, command text, reply bytea) AS $$
DECLARE
	oldest CONSTANT timestamptz := now() - p_keep * interval '1 millisecond';
BEGIN
	IF p_claim THEN
		INSERT INTO :"schema".stowage_idempotency AS k
			(schema_name, source, key, command, digest)
		SELECT p_schema, given.source, given.key, given.command, given.digest
		FROM unnest(p_sources, p_keys, p_commands, p_digests)
			AS given (source, key, command, digest)
		ORDER BY given.source COLLATE "C", given.key COLLATE "C"
		ON CONFLICT (schema_name, source, key) DO UPDATE SET command = EXCLUDED.command,
			digest = EXCLUDED.digest, reply = NULL, taken = true,
			created_at = EXCLUDED.created_at
		WHERE k.created_at < oldest;
	END IF;
	RETURN QUERY SELECT given.place, k.command = given.command AND k.digest = given.digest,
		k.command, k.reply
	FROM unnest(p_sources, p_keys, p_commands, p_digests) WITH ORDINALITY
		AS given (source, key, command, digest, place)
	JOIN :"schema".stowage_idempotency AS k ON k.schema_name = p_schema
		AND k.source = given.source AND k.key = given.key
	WHERE NOT k.taken AND k.created_at >= oldest;
END
$$ LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off;

-- Stores the replies of keys that this transaction has taken, and forgets those that are not to be
-- kept, because their commands failed or did not run.
--- function stowage_idempotency_save
CREATE OR REPLACE FUNCTION :"schema".stowage_idempotency_save(p_schema text, p_sources text[],
	p_keys text[], p_replies bytea[], p_keep boolean[]) RETURNS void AS $$
BEGIN
	UPDATE :"schema".stowage_idempotency AS k SET reply = given.reply, taken = false
	FROM unnest(p_sources, p_keys, p_replies, p_keep) AS given (source, key, reply, keep)
	WHERE given.keep AND k.schema_name = p_schema AND k.source = given.source
		AND k.key = given.key AND k.taken;
	DELETE FROM :"schema".stowage_idempotency AS k
	USING unnest(p_sources, p_keys, p_keep) AS given (source, key, keep)
	WHERE NOT given.keep AND k.schema_name = p_schema AND k.source = given.source
		AND k.key = given.key AND k.taken;
END
$$ LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off;

-- Deletes up to p_most keys older than p_keep milliseconds, and returns their number.
--- function stowage_idempotency_expire
CREATE OR REPLACE FUNCTION :"schema".stowage_idempotency_expire(p_keep bigint, p_most bigint)
RETURNS bigint AS $$
	WITH expired AS (
		SELECT k.ctid FROM :"schema".stowage_idempotency AS k
		WHERE k.created_at < now() - p_keep * interval '1 millisecond'
		ORDER BY k.created_at LIMIT p_most FOR UPDATE SKIP LOCKED
	), deleted AS (
		DELETE FROM :"schema".stowage_idempotency AS k USING expired
		WHERE k.ctid = expired.ctid RETURNING 1
	)
	SELECT count(*) FROM deleted
$$ LANGUAGE sql;

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
-- every wanted index exists already.
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
	-- Delete this table's ended builds, which the new one replaces, and any that ended 30 days ago.
	DELETE FROM :"schema".stowage_vector_builds AS b
	WHERE b.waiters IS NULL AND b.state IN ('done', 'failed', 'cancelled')
		AND (b.schema_name = p_schema AND b.index_name = p_index
			OR b.finished_at < clock_timestamp() - interval '30 days');
	INSERT INTO :"schema".stowage_vector_builds (schema_name, index_name, wanted, waiters)
	VALUES (p_schema, p_index, p_wanted, p_waiter);
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

-- Claims the replies of one ended build for p_owner and returns them. stowage_build_answered then
-- extends the lease or, with p_lease NULL, deletes the replies after Kafka has acknowledged them.
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

--- version 6
INSERT INTO :"schema".stowage_schema_version (version) VALUES (:version)
	ON CONFLICT (version) DO NOTHING;
