-- key: %parent%
-- reply: row
-- flags: read positional
SELECT
-- use: version
FROM :"schema".%versions% AS v
WHERE v."%parent%" = :{%parent%} AND v."versionNumber" = :{versionNumber}
ORDER BY v.id
LIMIT 1
