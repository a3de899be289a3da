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
--   takes           how often it was taken in a row without a batch coming through
--   attempts        how often the command at attempt_offset was begun alone without an end
--- table stowage_lanes
CREATE TABLE IF NOT EXISTS :"schema".stowage_lanes (
	group_id text COLLATE "C" NOT NULL,
	topic text COLLATE "C" NOT NULL,
	partition integer NOT NULL,
	topic_id text NOT NULL DEFAULT '',
	epoch bigint NOT NULL DEFAULT 0,
	applied bigint NOT NULL,
	answered bigint NOT NULL,
	takes integer NOT NULL DEFAULT 0,
	attempts integer NOT NULL DEFAULT 0,
	attempt_offset bigint NOT NULL DEFAULT -1,
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
		JOIN :"schema".stowage_lanes AS lane ON lane.group_id = p_group
			AND lane.topic = given.topic AND lane.partition = given.partition
		WHERE lane.epoch = given.epoch AND lane.applied = given.expected
		ORDER BY lane.topic, lane.partition
		FOR UPDATE OF lane) AS locked;
	IF coalesce(cardinality(held), 0) <> cardinality(p_topics) THEN
		RAISE EXCEPTION 'a lane of this batch was taken by another worker' USING
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
--- function stowage_take
CREATE OR REPLACE FUNCTION :"schema".stowage_take(p_group text, p_topic text,
	p_partition integer, p_topic_id text, p_reset bigint)
RETURNS TABLE (epoch bigint, applied bigint, answered bigint, topic_id text, takes integer,
	attempts integer, attempt_offset bigint) AS $$
	WITH taken AS (
		UPDATE :"schema".stowage_lanes AS lane SET
			epoch = lane.epoch + CASE WHEN lane.topic_id <> '' AND p_topic_id <> ''
				AND lane.topic_id <> p_topic_id THEN 0 ELSE 1 END,
			topic_id = CASE WHEN lane.topic_id = '' THEN p_topic_id ELSE lane.topic_id END,
			takes = lane.takes + 1,
			updated_at = now()
		WHERE lane.group_id = p_group AND lane.topic = p_topic AND lane.partition = p_partition
		RETURNING lane.*
	), made AS (
		INSERT INTO :"schema".stowage_lanes AS lane
			(group_id, topic, partition, topic_id, epoch, applied, answered, takes)
		SELECT p_group, p_topic, p_partition, p_topic_id, 1, p_reset, p_reset, 1
		WHERE p_reset >= 0 AND NOT EXISTS (SELECT FROM taken)
		-- Made by someone else in this moment: that row is taken.
		ON CONFLICT (group_id, topic, partition) DO UPDATE SET
			epoch = lane.epoch + CASE WHEN lane.topic_id <> '' AND EXCLUDED.topic_id <> ''
				AND lane.topic_id <> EXCLUDED.topic_id THEN 0 ELSE 1 END,
			topic_id = CASE WHEN lane.topic_id = '' THEN EXCLUDED.topic_id ELSE lane.topic_id END,
			takes = lane.takes + 1,
			updated_at = now()
		RETURNING lane.*
	)
	SELECT lane.epoch, lane.applied, lane.answered, lane.topic_id, lane.takes,
		lane.attempts, lane.attempt_offset
	FROM (SELECT * FROM taken UNION ALL SELECT * FROM made) AS lane;
$$ LANGUAGE sql;

-- The last statement of a batch: moves its lanes, which the fence has locked, and forgets the
-- attempts. Returns how many lanes it moved: a lane of another epoch is left alone.
--- function stowage_advance
CREATE OR REPLACE FUNCTION :"schema".stowage_advance(p_group text, p_topics text[],
	p_partitions integer[], p_epochs bigint[], p_applied bigint[], p_answered bigint[])
RETURNS integer AS $$
DECLARE
	moved integer;
BEGIN
	UPDATE :"schema".stowage_lanes AS lane SET applied = given.applied, answered = given.answered,
		takes = 0, attempts = 0, attempt_offset = -1, updated_at = now()
	FROM unnest(p_topics, p_partitions, p_epochs, p_applied, p_answered)
		AS given (topic, partition, epoch, applied, answered)
	WHERE lane.group_id = p_group AND lane.topic = given.topic
		AND lane.partition = given.partition AND lane.epoch = given.epoch;
	GET DIAGNOSTICS moved = ROW_COUNT;
	RETURN moved;
END
$$ LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off;

--- version 1
INSERT INTO :"schema".stowage_schema_version (version) VALUES (:version)
	ON CONFLICT (version) DO NOTHING;
