-- key: id
-- reply: row
-- flags: read
SELECT
-- use: experiment
FROM :"schema".mastra_experiments AS e
WHERE e.id = :{id}
-- use: tenant
