-- key: threadId
-- reply: row
-- flags: write
-- params: threadId, resourceId, @now
-- missing: THREAD_NOT_FOUND Thread {threadId} not found
-- The thread and its messages move together. A thread that has the resource already is not changed.
WITH found AS (
	SELECT id, "resourceId", title, metadata,
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	COALESCE("updatedAtZ", "updatedAt" AT TIME ZONE 'UTC') AS "updatedAt"
	FROM :"schema".mastra_threads WHERE id = $1::text FOR UPDATE
), moved AS (
	UPDATE :"schema".mastra_threads AS t SET
		"resourceId" = $2::text,
		"updatedAt" = $3::timestamptz AT TIME ZONE 'UTC',
		"updatedAtZ" = $3::timestamptz
	FROM found WHERE t.id = found.id AND found."resourceId" <> $2::text
	RETURNING t.id
), messages AS (
	UPDATE :"schema".mastra_messages AS m SET "resourceId" = $2::text
	FROM moved WHERE m.thread_id = moved.id
)
SELECT found.id, $2::text AS "resourceId", title, metadata, "createdAt",
	CASE WHEN moved.id IS NULL THEN "updatedAt" ELSE $3::timestamptz END AS "updatedAt"
FROM found LEFT JOIN moved ON true
