-- key: id
-- reply: none
-- flags: write fold
-- distinct: id
-- Experiments stay, without the dataset and without their results.
-- statement: lock
SELECT d.id FROM :"schema".mastra_datasets AS d JOIN given ON d.id = :{id} ORDER BY d.id FOR UPDATE OF d
-- statement: write
WITH gone AS (
	DELETE FROM :"schema".mastra_datasets AS d USING given
	WHERE d.id = :{id}
-- use: gate
	RETURNING d.id
), results AS (
	DELETE FROM :"schema".mastra_experiment_results AS r
	USING :"schema".mastra_experiments AS e JOIN gone ON e."datasetId" = gone.id
	WHERE r."experimentId" = e.id
), experiments AS (
	UPDATE :"schema".mastra_experiments AS e SET "datasetId" = NULL, "datasetVersion" = NULL
	FROM gone WHERE e."datasetId" = gone.id
), versions AS (
	DELETE FROM :"schema".mastra_dataset_versions AS v USING gone WHERE v."datasetId" = gone.id
)
DELETE FROM :"schema".mastra_dataset_items AS i USING gone WHERE i."datasetId" = gone.id
