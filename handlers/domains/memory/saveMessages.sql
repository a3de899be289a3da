-- key: messages[0].threadId
-- reply: custom
-- flags: write fold
-- handler: memory_save_messages
-- Threads of a run of commands, distinct and sorted: $1 ids, $2 the time of the last command.
-- Their messages, distinct and sorted: $3 ids, $4 threads, $5 contents, $6 created, $7 roles,
-- $8 types, $9 resources. Answers the threads that are not there; their messages are left out.
-- A message that is there already keeps its createdAt. IS TRUE keeps the planner from making a
-- join of the IN: as a hashed subplan it is as fast whatever is estimated, and keeps the order.
WITH touched AS (
-- use: touch
	WHERE t.id = given.id
	RETURNING t.id
), saved AS (
-- use: insert
	WHERE (thread_id IN (SELECT id FROM touched)) IS TRUE
-- use: update
)
SELECT id FROM unnest($1::text[]) AS given (id) WHERE id NOT IN (SELECT id FROM touched)

-- statement: new
-- The same for messages that are expected to be new (turn_expect_new): one that is there fails it. Unless
-- ids are unique, PostgreSQL does not plan the INSERT of nothing.
WITH guard AS (
	INSERT INTO :"schema".mastra_messages (id) SELECT NULL WHERE false ON CONFLICT (id) DO NOTHING
), touched AS (
-- use: touch
	WHERE t.id = given.id
	RETURNING t.id
), saved AS (
-- use: insert
	WHERE (thread_id IN (SELECT id FROM touched)) IS TRUE
)
SELECT id FROM unnest($1::text[]) AS given (id) WHERE id NOT IN (SELECT id FROM touched)

-- statement: together
-- The same for one command with several threads: all of them are there, or nothing is done.
WITH found AS (
	SELECT id FROM :"schema".mastra_threads WHERE id = ANY ($1::text[])
	ORDER BY id COLLATE "C" FOR NO KEY UPDATE
), touched AS (
-- use: touch
	WHERE t.id = given.id AND (SELECT count(*) FROM found) = cardinality($1::text[])
), saved AS (
-- use: insert
	WHERE (SELECT count(*) FROM found) = cardinality($1::text[])
-- use: update
)
SELECT id FROM unnest($1::text[]) AS given (id) WHERE id NOT IN (SELECT id FROM found)

-- part: touch
	UPDATE :"schema".mastra_threads AS t SET
		"updatedAt" = given.at AT TIME ZONE 'UTC',
		"updatedAtZ" = given.at
	FROM unnest($1::text[], $2::timestamptz[]) AS given (id, at)

-- part: insert
	INSERT INTO :"schema".mastra_messages
		(id, thread_id, content, "createdAt", "createdAtZ", role, type, "resourceId")
	SELECT id, thread_id, content, created AT TIME ZONE 'UTC', created, role, type, resource_id
	FROM unnest($3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[],
		$9::text[]) AS given (id, thread_id, content, created, role, type, resource_id)

-- part: update
	ON CONFLICT (id) DO UPDATE SET
		thread_id = EXCLUDED.thread_id,
		content = EXCLUDED.content,
		role = EXCLUDED.role,
		type = EXCLUDED.type,
		"resourceId" = EXCLUDED."resourceId"
