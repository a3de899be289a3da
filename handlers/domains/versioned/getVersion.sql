-- key: id
-- reply: row
-- flags: read positional
SELECT
-- use: version
FROM :"schema".%versions% AS v
WHERE v.id = :{id}
