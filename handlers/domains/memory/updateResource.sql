-- key: resourceId
-- reply: custom
-- flags: write
-- absent: undefined
-- handler: memory_update_resource
-- $1 id, $2 working memory or null, $3 metadata to merge (JSON text) or null, $4 now.
-- Creates a resource that does not exist, with its metadata stored as saveResource stores it. Merges
-- into stored metadata that is an object, or a string that looks like one; replaces any other.
INSERT INTO :"schema".mastra_resources AS r
	(id, "workingMemory", metadata, "createdAt", "createdAtZ", "updatedAt", "updatedAtZ")
VALUES ($1::text, $2::text, to_jsonb(COALESCE($3::text, '{}')),
	$4::timestamptz AT TIME ZONE 'UTC', $4::timestamptz,
	$4::timestamptz AT TIME ZONE 'UTC', $4::timestamptz)
ON CONFLICT (id) DO UPDATE SET
	"workingMemory" = COALESCE($2::text, r."workingMemory"),
	metadata = CASE WHEN $3::text IS NULL THEN r.metadata ELSE
		CASE WHEN jsonb_typeof(r.metadata) = 'object' THEN r.metadata
			WHEN r.metadata #>> '{}' ~ '^\s*\{\s*["}]' THEN (r.metadata #>> '{}')::jsonb ELSE '{}' END ||
		CASE jsonb_typeof($3::text::jsonb) WHEN 'object' THEN $3::text::jsonb ELSE '{}' END
	END,
	"updatedAt" = EXCLUDED."updatedAt",
	"updatedAtZ" = EXCLUDED."updatedAtZ"
RETURNING id, "workingMemory", metadata,
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	"updatedAtZ" AS "updatedAt"
