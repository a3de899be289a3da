-- key: datasetId
-- reply: row
-- flags: write barrier
-- handler: datasets_write_items
-- missing: DATASET_NOT_FOUND Dataset not found: {datasetId}
-- error: DATASET_ITEM_PURGED CONFLICT Purged dataset item cannot be updated: {id}
-- error: DATASET_ITEM_NOT_FOUND NOT_FOUND Dataset item not found: {id}
-- error: DATASET_MISMATCH INVALID the item {id} is not in the dataset {datasetId}
-- codes: DATASET_ITEM_EXTERNAL_ID_INVALID, DATASET_ITEM_SCHEMA_MISMATCH, DATASET_SCHEMA_INVALID
-- statement: lock
SELECT d."inputSchema", d."groundTruthSchema", CASE WHEN EXISTS (
	SELECT FROM :"schema".mastra_dataset_items AS i WHERE i.id = :{id} AND i."datasetId" = d.id
		AND i."validTo" IS NULL AND NOT i."isDeleted" AND i.metadata @> '{"__purged": true}')
	THEN 'DATASET_ITEM_PURGED' END AS error
FROM :"schema".mastra_datasets AS d
WHERE d.id = :{datasetId}
-- use: gate
FOR UPDATE OF d
-- statement: write
-- A new row even if nothing differs. What is not given stays.
WITH found AS (
	SELECT i.*, CASE WHEN i."datasetId" <> :{datasetId} THEN 'DATASET_MISMATCH'
		WHEN i.metadata @> '{"__purged": true}' THEN 'DATASET_ITEM_PURGED' END AS error
	FROM :"schema".mastra_dataset_items AS i
	WHERE i.id = :{id} AND i."validTo" IS NULL AND NOT i."isDeleted"
), raised AS (
	UPDATE :"schema".mastra_datasets AS d SET version = d.version + 1
	WHERE d.id = :{datasetId} AND EXISTS (SELECT FROM found WHERE found.error IS NULL)
	RETURNING d.version, d."organizationId", d."projectId"
), closed AS (
	UPDATE :"schema".mastra_dataset_items AS i SET "validTo" = raised.version
	FROM raised WHERE i.id = :{id} AND i."validTo" IS NULL AND NOT i."isDeleted"
), made AS (
	INSERT INTO :"schema".mastra_dataset_items AS i (
-- use: columns
	)
	SELECT found.id, found."datasetId", raised.version, found."externalId", raised."organizationId", raised."projectId",
		NULL, false,
		CASE WHEN :{clear:jsonb} ? 'input' THEN 'null' ELSE coalesce(:{input}, found.input) END,
		CASE WHEN :{clear:jsonb} ? 'groundTruth' THEN 'null' ELSE coalesce(:{groundTruth}, found."groundTruth") END,
		CASE WHEN :{clear:jsonb} ? 'expectedTrajectory' THEN 'null'
			ELSE coalesce(:{expectedTrajectory}, found."expectedTrajectory") END,
		CASE WHEN NOT :{clear:jsonb} ? 'toolMocks' THEN nullif(coalesce(:{toolMocks}, found."toolMocks"), 'null') END,
		CASE WHEN NOT :{clear:jsonb} ? 'unmockedToolPolicy' THEN coalesce(:{unmockedToolPolicy}, found."unmockedToolPolicy") END,
		CASE WHEN NOT :{clear:jsonb} ? 'scorerIds' THEN nullif(coalesce(:{scorerIds:jsonb}, found."scorerIds"), 'null') END,
		CASE WHEN NOT :{clear:jsonb} ? 'requestContext'
			THEN nullif(coalesce(:{requestContext}, found."requestContext"), 'null') END,
		CASE WHEN NOT :{clear:jsonb} ? 'metadata' THEN nullif(coalesce(:{metadata}, found.metadata), 'null') END,
		CASE WHEN NOT :{clear:jsonb} ? 'source' THEN nullif(coalesce(:{source}, found.source), 'null') END,
		coalesce(found."createdAtZ" AT TIME ZONE 'UTC', found."createdAt"),
		coalesce(found."createdAtZ", found."createdAt" AT TIME ZONE 'UTC'),
		:{@now} AT TIME ZONE 'UTC', :{@now}
	FROM found CROSS JOIN raised
	RETURNING i.*
), version AS (
	INSERT INTO :"schema".mastra_dataset_versions (id, "datasetId", version, "createdAt", "createdAtZ")
	SELECT gen_random_uuid()::text, :{datasetId}, raised.version, :{@now} AT TIME ZONE 'UTC', :{@now} FROM raised
)
SELECT CASE WHEN asked.id NOT IN (SELECT found.id FROM found) THEN 'DATASET_ITEM_NOT_FOUND'
	ELSE (SELECT found.error FROM found) END AS error,
-- use: item
FROM (SELECT :{id} AS id) AS asked LEFT JOIN made AS i ON i.id = asked.id
