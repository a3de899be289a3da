-- reply: rows
-- flags: read positional
SELECT
-- use: version
FROM :"schema".%versions% AS v
WHERE v.id = ANY (:{ids})
ORDER BY v."versionNumber", v.id
