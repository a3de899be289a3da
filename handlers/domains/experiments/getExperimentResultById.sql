-- reply: row
-- flags: read
SELECT
-- use: result
FROM :"schema".mastra_experiment_results AS r
WHERE r.id = :{id}
-- use: tenant
