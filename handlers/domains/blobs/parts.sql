-- part: entry
	hash, content, size, nullif("mimeType", '') AS "mimeType",
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt"
