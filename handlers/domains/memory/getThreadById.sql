-- key: threadId
-- reply: custom
-- flags: read fold
-- handler: memory_get_thread_by_id
-- For one call: $1 thread id, $2 resource id or null.
SELECT id, "resourceId", title, metadata,
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	COALESCE("updatedAtZ", "updatedAt" AT TIME ZONE 'UTC') AS "updatedAt"
FROM :"schema".mastra_threads
WHERE id = $1::text AND ($2::text IS NULL OR "resourceId" = $2::text)

-- statement: together
-- For several calls: the same as arrays. "place" is the number of the call, from 1.
SELECT given.place, t.id, t."resourceId", t.title, t.metadata,
	COALESCE(t."createdAtZ", t."createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	COALESCE(t."updatedAtZ", t."updatedAt" AT TIME ZONE 'UTC') AS "updatedAt"
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS given (id, resource_id, place)
JOIN :"schema".mastra_threads AS t ON t.id = given.id
	AND (given.resource_id IS NULL OR t."resourceId" = given.resource_id)
