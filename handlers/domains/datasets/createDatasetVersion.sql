-- key: datasetId
-- reply: row
-- flags: write fold positional
-- distinct: datasetId
-- error: DATASET_VERSION_EXISTS CONFLICT the dataset {datasetId} has this version already
WITH made AS (
	INSERT INTO :"schema".mastra_dataset_versions AS v (id, "datasetId", version, "createdAt", "createdAtZ")
	SELECT gen_random_uuid()::text, :{datasetId}, :{version}, :{@now} AT TIME ZONE 'UTC', :{@now}
	FROM given ORDER BY :{datasetId}
	ON CONFLICT DO NOTHING
	RETURNING v.*
)
SELECT given.place, CASE WHEN v.id IS NULL THEN 'DATASET_VERSION_EXISTS' END AS error,
	v.id, v."datasetId", v.version, v."createdAtZ" AS "createdAt"
FROM given LEFT JOIN made AS v ON v."datasetId" = :{datasetId}
