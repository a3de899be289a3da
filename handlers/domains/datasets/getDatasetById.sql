-- key: id
-- reply: row
-- flags: read
SELECT
-- use: dataset
FROM :"schema".mastra_datasets AS d
WHERE d.id = :{id}
-- use: gate
