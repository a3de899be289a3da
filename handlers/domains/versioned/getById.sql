-- key: id
-- reply: row
-- flags: read positional
SELECT
-- use: entity
FROM :"schema".%entities% AS e
WHERE e.id = :{id}
