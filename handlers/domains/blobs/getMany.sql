-- reply: map
-- flags: read positional
SELECT
-- use: entry
FROM :"schema".mastra_skill_blobs WHERE hash = ANY (:{hashes})
