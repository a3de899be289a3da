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
-- make PostgreSQL keep one generic plan. Without them it plans each call again, which costs ten times as
-- much. OFFSET 0 keeps a lookup of each row by the primary key: planned on a small table, a join would
-- read all rows of the group.
--- function stowage_fence
CREATE OR REPLACE FUNCTION :"schema".stowage_fence(p_group text, p_topics text[],
	p_partitions integer[], p_epochs bigint[], p_expected bigint[]) RETURNS void AS $$
DECLARE
	held bigint[];
BEGIN
	SELECT array_agg(given.place) INTO held
	FROM (SELECT * FROM unnest(p_topics, p_partitions, p_epochs, p_expected) WITH ORDINALITY
			AS given (topic, partition, epoch, expected, place)
		ORDER BY given.topic COLLATE "C", given.partition) AS given
	CROSS JOIN LATERAL (
		SELECT FROM :"schema".stowage_offsets AS o
		WHERE o.group_id = p_group AND o.topic = given.topic
			AND o.partition = given.partition
			AND o.epoch = given.epoch AND o.applied = given.expected
		FOR UPDATE OFFSET 0
	) AS locked;
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
-- another epoch; returns how many rows it moved. OFFSET 0 is stowage_fence's; a locked row keeps its ctid.
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
	CROSS JOIN LATERAL (
		SELECT r.ctid FROM :"schema".stowage_offsets AS r
		WHERE r.group_id = p_group AND r.topic = given.topic
			AND r.partition = given.partition AND r.epoch = given.epoch
		OFFSET 0
	) AS found
	WHERE o.ctid = found.ctid;
	GET DIAGNOSTICS moved = ROW_COUNT;
	RETURN moved;
END
$$ LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off;

-- Forgets messages that Kafka has. The settings and OFFSET 0 are stowage_fence's: planned while the table was
-- empty, the statement would read all rows of the partition, which fill the table while no broker takes replies.
--- function stowage_outbox_delete
CREATE OR REPLACE FUNCTION :"schema".stowage_outbox_delete(p_group text, p_topic text,
	p_partition integer, p_seqs bigint[]) RETURNS void AS $$
BEGIN
	DELETE FROM :"schema".stowage_outbox AS o USING unnest(p_seqs) AS given (seq)
	CROSS JOIN LATERAL (
		SELECT r.ctid FROM :"schema".stowage_outbox AS r
		WHERE r.group_id = p_group AND r.topic = p_topic AND r.partition = p_partition
			AND r.seq = given.seq
		OFFSET 0
	) AS found
	WHERE o.ctid = found.ctid;
END
$$ LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off;

-- Returns the keys that are known, by their 1-based places: `same` says whether the same command has
-- the key, `reply` is NULL if it is still to come. With p_claim takes the unknown keys first, in one
-- order, so that two batches cannot deadlock; a batch waits for another that has taken a key. A key
-- older than p_keep milliseconds is unknown. The settings are stowage_fence's. OFFSET 0 keeps a lookup
-- of each key by the primary key: planned on a small table, a join would read the whole table.
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
	CROSS JOIN LATERAL (
		SELECT * FROM :"schema".stowage_idempotency AS r
		WHERE r.schema_name = p_schema AND r.source = given.source AND r.key = given.key
		OFFSET 0
	) AS k
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
	CROSS JOIN LATERAL (
		SELECT r.ctid FROM :"schema".stowage_idempotency AS r
		WHERE r.schema_name = p_schema AND r.source = given.source AND r.key = given.key
		OFFSET 0
	) AS found
	WHERE given.keep AND k.ctid = found.ctid AND k.taken;
	DELETE FROM :"schema".stowage_idempotency AS k
	USING unnest(p_sources, p_keys, p_keep) AS given (source, key, keep)
	CROSS JOIN LATERAL (
		SELECT r.ctid FROM :"schema".stowage_idempotency AS r
		WHERE r.schema_name = p_schema AND r.source = given.source AND r.key = given.key
		OFFSET 0
	) AS found
	WHERE NOT given.keep AND k.ctid = found.ctid AND k.taken;
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

-- Which worker of each group deletes old rows.
--   owner           the worker that does; NULL: none
--   lease_until     another worker may go on after that time
--   started_at      when the last run began
--- table stowage_retention
CREATE TABLE IF NOT EXISTS :"schema".stowage_retention (
	group_id text COLLATE "C" NOT NULL PRIMARY KEY,
	owner text,
	lease_until timestamptz NOT NULL,
	started_at timestamptz NOT NULL
);

--- version 11
INSERT INTO :"schema".stowage_schema_version (version) VALUES (:version)
	ON CONFLICT (version) DO NOTHING;
