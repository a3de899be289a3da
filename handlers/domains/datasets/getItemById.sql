-- reply: row
-- flags: read
-- The current row, or the one of a version.
SELECT
-- use: item
FROM :"schema".mastra_dataset_items AS i
WHERE i.id = :{id} AND NOT i."isDeleted" AND (:{datasetVersion} IS NULL AND i."validTo" IS NULL
	OR i."datasetVersion" <= :{datasetVersion} AND (i."validTo" IS NULL OR i."validTo" > :{datasetVersion}))
ORDER BY i."datasetVersion" DESC, i.id DESC
LIMIT 1
