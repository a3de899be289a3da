-- key: datasetId
-- reply: none
-- flags: write fold
-- distinct: datasetId
-- Every row of the item loses its content in place, and so do the results of the dataset's experiments.
-- statement: lock
-- use: lock
-- statement: write
WITH mark AS (
	SELECT given.place, jsonb_build_object('__purged', true, 'purgedAt',
		to_char(:{@now} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) AS metadata
	FROM given JOIN :"schema".mastra_datasets AS d ON d.id = :{datasetId}
-- use: gate
), purged AS (
	UPDATE :"schema".mastra_dataset_items AS i SET input = 'null', "groundTruth" = NULL, "expectedTrajectory" = NULL,
		"toolMocks" = NULL, "unmockedToolPolicy" = NULL, "scorerIds" = NULL, "requestContext" = NULL,
		metadata = mark.metadata, source = NULL
	FROM mark JOIN given USING (place)
	WHERE i.id = :{id} AND i."datasetId" = :{datasetId}
	RETURNING i.id, i."datasetId", mark.metadata
)
UPDATE :"schema".mastra_experiment_results AS r SET input = 'null', output = NULL, "groundTruth" = NULL, error = NULL,
	"toolMockReport" = NULL, tags = NULL, comment = NULL, metadata = purged.metadata
FROM (SELECT DISTINCT * FROM purged) AS purged
JOIN :"schema".mastra_experiments AS e ON e."datasetId" = purged."datasetId"
WHERE r."itemId" = purged.id AND r."experimentId" = e.id
