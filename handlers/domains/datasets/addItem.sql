-- key: datasetId
-- reply: row
-- flags: write barrier
-- handler: datasets_write_items
-- missing: DATASET_NOT_FOUND Dataset not found: {datasetId}
-- error: DATASET_ITEM_IDENTITY_CONFLICT CONFLICT the dataset {datasetId} has another item with this externalId
-- codes: DATASET_ITEM_EXTERNAL_ID_INVALID, DATASET_ITEM_SCHEMA_MISMATCH, DATASET_SCHEMA_INVALID
-- statement: lock
-- use: schemas
-- use: gate
FOR UPDATE OF d
-- statement: write
WITH item AS MATERIALIZED (
	SELECT 0 AS index, gen_random_uuid()::text AS id, :{externalId} AS "externalId", :{input} AS input,
		:{groundTruth} AS "groundTruth", :{expectedTrajectory} AS "expectedTrajectory", :{toolMocks} AS "toolMocks",
		:{unmockedToolPolicy} AS "unmockedToolPolicy", :{scorerIds:jsonb} AS "scorerIds",
		:{requestContext} AS "requestContext", :{metadata} AS metadata, :{source} AS source,
		jsonb_build_array(:{input}, :{groundTruth}, :{expectedTrajectory}, :{toolMocks}, :{unmockedToolPolicy},
			:{scorerIds:jsonb}, :{requestContext}, :{metadata}, :{source}) AS payload
-- use: plan
