-- key: id
-- reply: row
-- flags: write
-- params: id, title, metadata, @now
-- missing: THREAD_NOT_FOUND Thread {id} not found
-- Null parameters leave their columns. Metadata is merged member by member into the stored metadata, if
-- that is an object, or a string that looks like the JSON of an object.
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
