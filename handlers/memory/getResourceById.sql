-- key: resourceId
-- reply: row
-- flags: read
-- params: resourceId
-- The reference stores metadata either as an object or as a string that holds its JSON.
SELECT id, "workingMemory",
	CASE jsonb_typeof(metadata) WHEN 'string' THEN (metadata #>> '{}')::jsonb
		ELSE metadata END AS metadata,
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	COALESCE("updatedAtZ", "updatedAt" AT TIME ZONE 'UTC') AS "updatedAt"
FROM :"schema".mastra_resources
WHERE id = $1::text
