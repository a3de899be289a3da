-- key: entries[0].hash
-- reply: none
-- flags: write positional
-- All or none, where the reference stops at the first entry that fails. Of equal hashes the first one counts.
INSERT INTO :"schema".mastra_skill_blobs (hash, content, size, "mimeType", "createdAt", "createdAtZ")
SELECT DISTINCT ON (e.hash) e.hash, e.content, e.size, e."mimeType",
	coalesce(e."createdAt", :{@now}) AT TIME ZONE 'UTC', coalesce(e."createdAt", :{@now})
FROM ROWS FROM (jsonb_to_recordset(:{entries}) AS (hash text, content text, size int4, "mimeType" text,
	"createdAt" timestamptz)) WITH ORDINALITY AS e (hash, content, size, "mimeType", "createdAt", place)
ORDER BY e.hash, e.place
ON CONFLICT (hash) DO NOTHING
