-- key: resourceId
-- reply: row
-- flags: read
-- params: resourceId
SELECT id, "workingMemory", metadata,
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	COALESCE("updatedAtZ", "updatedAt" AT TIME ZONE 'UTC') AS "updatedAt"
FROM :"schema".mastra_resources
WHERE id = $1::text
