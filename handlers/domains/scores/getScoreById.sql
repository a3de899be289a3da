-- reply: row
-- flags: read
SELECT
-- use: score
WHERE id = :{id}
