-- key: datasetId
-- reply: rows
-- flags: read
SELECT
-- use: item
FROM :"schema".mastra_dataset_items AS i
WHERE i."datasetId" = :{datasetId} AND i."datasetVersion" <= :{version}
	AND (i."validTo" IS NULL OR i."validTo" > :{version}) AND NOT i."isDeleted"
ORDER BY i."createdAt" DESC, i.id ASC
