-- key: %parent%
-- reply: row
-- flags: read positional
SELECT
-- use: version
FROM :"schema".%versions% AS v
WHERE v."%parent%" = :{%parent%}
ORDER BY v."versionNumber" DESC, v.id DESC
LIMIT 1
