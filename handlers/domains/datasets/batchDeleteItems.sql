-- key: datasetId
-- reply: none
-- flags: write fold
-- distinct: datasetId
-- error: DATASET_NOT_FOUND NOT_FOUND Dataset not found: {datasetId}
-- statement: lock
-- use: lock
-- statement: write
WITH owner AS (
	SELECT given.place, d.id FROM given JOIN :"schema".mastra_datasets AS d ON d.id = :{datasetId}
-- use: gate
), gone AS (
	SELECT owner.place, i.*
	FROM owner JOIN given USING (place)
	CROSS JOIN LATERAL (SELECT DISTINCT item.id FROM jsonb_array_elements_text(:{itemIds}) AS item (id)) AS item
	JOIN :"schema".mastra_dataset_items AS i ON i.id = item.id AND i."datasetId" = owner.id
		AND i."validTo" IS NULL AND NOT i."isDeleted"
-- use: bury
SELECT given.place, CASE WHEN owner.id IS NULL THEN 'DATASET_NOT_FOUND' END AS error
FROM given LEFT JOIN owner USING (place)
