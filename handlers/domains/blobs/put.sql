-- key: hash
-- reply: none
-- flags: write fold
-- distinct: hash
-- A known hash keeps its row.
INSERT INTO :"schema".mastra_skill_blobs (hash, content, size, "mimeType", "createdAt", "createdAtZ")
SELECT :{hash}, :{content}, :{size}, :{mimeType}, coalesce(:{createdAt}, :{@now}) AT TIME ZONE 'UTC',
	coalesce(:{createdAt}, :{@now})
FROM given ORDER BY :{hash}
ON CONFLICT (hash) DO NOTHING
