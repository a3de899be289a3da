-- key: experimentId
-- reply: row
-- flags: write fold
-- distinct: id
-- missing: EXPERIMENT_RESULT_NOT_FOUND experiment result {id} not found
-- As in the reference, the experiment must exist. A purged item keeps neither tags nor comment.
-- statement: datasets
SELECT d.id FROM :"schema".mastra_datasets AS d WHERE d.id IN (
	SELECT e."datasetId" FROM given JOIN :"schema".mastra_experiment_results AS r ON r.id = :{id}
	JOIN :"schema".mastra_experiments AS e ON e.id = r."experimentId")
ORDER BY d.id FOR KEY SHARE OF d
-- statement: lock
SELECT r.id FROM given JOIN :"schema".mastra_experiment_results AS r ON r.id = :{id} ORDER BY r.id FOR UPDATE OF r
-- statement: write
WITH asked AS MATERIALIZED (
	SELECT given.place, r.id, EXISTS (SELECT FROM :"schema".mastra_datasets AS d
			JOIN :"schema".mastra_dataset_items AS i ON i."datasetId" = d.id AND i.id = r."itemId"
			WHERE d.id = e."datasetId" AND i.metadata ->> '__purged' = 'true') AS purged
	FROM given JOIN :"schema".mastra_experiment_results AS r ON r.id = :{id}
		AND (:{experimentId} IS NULL OR r."experimentId" = :{experimentId})
	JOIN :"schema".mastra_experiments AS e ON e.id = r."experimentId"
)
UPDATE :"schema".mastra_experiment_results AS r SET :{patch r status},
	tags = CASE WHEN asked.purged THEN NULL WHEN :{clear:jsonb} ? 'tags' THEN 'null'
		ELSE coalesce(:{tags}, r.tags) END,
	comment = CASE WHEN asked.purged OR :{clear:jsonb} ? 'comment' THEN NULL
		ELSE coalesce(:{comment}, r.comment) END
FROM given JOIN asked USING (place)
WHERE r.id = asked.id
RETURNING given.place,
-- use: result
