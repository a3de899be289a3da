-- reply: value
-- flags: read positional
SELECT coalesce(jsonb_object_agg(hash, to_jsonb(entry)), '{}')
FROM (SELECT hash, content, size, nullif("mimeType", '') AS "mimeType",
		to_char(COALESCE("createdAtZ" AT TIME ZONE 'UTC', "createdAt"), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "createdAt"
	FROM :"schema".mastra_skill_blobs WHERE hash = ANY (:{hashes})) AS entry
