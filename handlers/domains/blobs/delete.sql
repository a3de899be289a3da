-- key: hash
-- reply: value
-- flags: write positional
WITH gone AS (
	DELETE FROM :"schema".mastra_skill_blobs WHERE hash = :{hash} RETURNING hash
)
SELECT EXISTS (SELECT FROM gone)
