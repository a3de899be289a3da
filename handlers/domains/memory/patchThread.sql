-- key: id
-- reply: row
-- flags: write
-- params: id, title, metadata, @now
-- missing: THREAD_NOT_FOUND Thread {id} not found
-- What is not given stays; metadata is merged member by member into what is there: an object, or
-- text that looks like the JSON of one.
UPDATE :"schema".mastra_threads AS t SET
	title = COALESCE($2::text, title),
	metadata =
		CASE WHEN jsonb_typeof(metadata) = 'object' THEN metadata
			WHEN metadata #>> '{}' ~ '^\s*\{\s*["}]' THEN (metadata #>> '{}')::jsonb ELSE '{}' END ||
		CASE jsonb_typeof($3::jsonb) WHEN 'object' THEN $3::jsonb ELSE '{}' END,
	"updatedAt" = $4::timestamptz AT TIME ZONE 'UTC',
	"updatedAtZ" = $4::timestamptz
WHERE id = $1::text
RETURNING id, "resourceId", title, metadata,
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	"updatedAtZ" AS "updatedAt"
