-- key: messages[0].threadId
-- reply: custom
-- flags: write fold
-- handler: memory_save_messages
-- codes: INVALID_MESSAGE_CONTENT, MESSAGE_TOO_LARGE, RESOURCE_ID_REQUIRED, THREAD_ID_REQUIRED,
--   THREAD_NOT_FOUND
-- Threads of a run of calls, distinct and sorted: $1 ids, $2 times of the last call.
-- Their messages, distinct and sorted: $3 ids, $4 threads, $5 contents, $6 created, $7 roles,
-- $8 types, $9 resources. Returns the threads that do not exist and skips their messages.
-- An existing message keeps its createdAt. IS TRUE stops the planner from turning the IN into a join:
-- a hashed subplan is fast whatever the estimates, and keeps the order.
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
-- The same without ON CONFLICT, for messages assumed to be new (optimistic_insert.h): an existing one
-- fails the statement. The guard inserts nothing; PostgreSQL rejects its plan unless ids are unique.
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
-- The same for one call with several threads: if one of them does not exist, nothing is saved.
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
