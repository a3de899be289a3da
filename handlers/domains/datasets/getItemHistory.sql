-- reply: rows
-- flags: read positional
SELECT i."validTo", i."isDeleted",
-- use: item
FROM :"schema".mastra_dataset_items AS i
WHERE i.id = :{itemId}
ORDER BY i."datasetVersion" DESC
