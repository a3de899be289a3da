-- key: id
-- reply: row
-- flags: write fold
-- handler: datasets_create
-- distinct: id
-- error: DATASET_ID_CONFLICT CONFLICT the dataset {id} exists already with another organizationId, projectId, candidateKey or candidateId
-- codes: DATASET_INVALID_ID, DATASET_SCHEMA_INVALID
-- A known id gives the dataset that is there, unchanged.
WITH asked AS MATERIALIZED (
	SELECT given.place, coalesce(:{id}, gen_random_uuid()::text) AS id FROM given
), made AS (
	INSERT INTO :"schema".mastra_datasets AS d (id, name, description, metadata, "inputSchema",
		"groundTruthSchema", "requestContextSchema", "targetType", "targetIds", "scorerIds", "organizationId",
		"projectId", "candidateKey", "candidateId", version, "createdAt", "createdAtZ", "updatedAt", "updatedAtZ")
	SELECT asked.id, :{name}, :{description}, nullif(:{metadata}, 'null'), nullif(:{inputSchema}, 'null'),
		nullif(:{groundTruthSchema}, 'null'), nullif(:{requestContextSchema}, 'null'), :{targetType},
		:{targetIds}, :{scorerIds}, :{organizationId}, :{projectId}, :{candidateKey}, :{candidateId}, 0,
		:{@now} AT TIME ZONE 'UTC', :{@now}, :{@now} AT TIME ZONE 'UTC', :{@now}
	FROM asked JOIN given USING (place)
	ORDER BY asked.id
	ON CONFLICT (id) DO UPDATE SET id = d.id
	RETURNING d.*
)
SELECT given.place, CASE WHEN (d."organizationId", d."projectId", d."candidateKey", d."candidateId")
		IS DISTINCT FROM (:{organizationId}, :{projectId}, :{candidateKey}, :{candidateId})
		THEN 'DATASET_ID_CONFLICT' END AS error,
-- use: dataset
FROM asked JOIN given USING (place) JOIN made AS d ON d.id = asked.id
