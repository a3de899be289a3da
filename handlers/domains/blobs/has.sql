-- key: hash
-- reply: value
-- flags: read positional
SELECT EXISTS (SELECT FROM :"schema".mastra_skill_blobs WHERE hash = :{hash})
