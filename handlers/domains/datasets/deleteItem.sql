-- key: datasetId
-- reply: none
-- flags: write fold
-- distinct: datasetId
-- error: DATASET_MISMATCH INVALID the item {id} is not in the dataset {datasetId}
-- statement: lock
-- use: lock
-- statement: write
WITH found AS (
	SELECT given.place, i.*, :{datasetId} AS asked
	FROM given JOIN :"schema".mastra_dataset_items AS i ON i.id = :{id} AND i."validTo" IS NULL AND NOT i."isDeleted"
	WHERE coalesce(:{filters.organizationId}, :{filters.projectId}) IS NULL
		OR EXISTS (SELECT FROM :"schema".mastra_datasets AS d WHERE d.id = :{datasetId}
-- use: gate
		)
), gone AS (
	SELECT * FROM found WHERE found."datasetId" = found.asked
-- use: bury
SELECT found.place, CASE WHEN found."datasetId" <> found.asked THEN 'DATASET_MISMATCH' END AS error FROM found
