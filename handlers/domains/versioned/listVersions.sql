-- key: %parent%
-- reply: page
-- flags: read
-- page: 20
-- order: versionNumber DESC, createdAt
SELECT
-- use: version
FROM :"schema".%versions% AS v
WHERE v."%parent%" = :{%parent%}
ORDER BY :{order v}, v.id
