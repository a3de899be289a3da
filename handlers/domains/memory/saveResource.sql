-- key: resource.id
-- reply: custom
-- flags: write
-- absent: undefined
-- handler: memory_save_resource
-- codes: RESOURCE_EXISTS
-- $1 id, $2 working memory, $3 metadata, $4 created, $5 updated. As in the reference, the metadata of
-- a new resource is stored as a JSON string that holds the object's JSON.
INSERT INTO :"schema".mastra_resources
	(id, "workingMemory", metadata, "createdAt", "createdAtZ", "updatedAt", "updatedAtZ")
VALUES ($1::text, $2::text, to_jsonb($3::text),
	$4::timestamptz AT TIME ZONE 'UTC', $4::timestamptz,
	$5::timestamptz AT TIME ZONE 'UTC', $5::timestamptz)
ON CONFLICT (id) DO NOTHING
