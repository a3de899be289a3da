-- key: datasetId
-- reply: rows
-- flags: write barrier
-- handler: datasets_write_items
-- missing: DATASET_NOT_FOUND Dataset not found: {datasetId}
-- error: DATASET_ITEM_IDENTITY_CONFLICT CONFLICT the dataset {datasetId} has other items with some of these externalIds
-- codes: DATASET_ITEM_EXTERNAL_ID_INVALID, DATASET_ITEM_SCHEMA_MISMATCH, DATASET_SCHEMA_INVALID
-- statement: lock
-- use: schemas
-- use: gate
FOR UPDATE OF d
-- statement: write
WITH item AS MATERIALIZED (
	SELECT (given.ordinality - 1)::int AS index, gen_random_uuid()::text AS id, given.one->>'externalId' AS "externalId",
		given.one->'input' AS input, given.one->'groundTruth' AS "groundTruth",
		given.one->'expectedTrajectory' AS "expectedTrajectory", given.one->'toolMocks' AS "toolMocks",
		given.one->>'unmockedToolPolicy' AS "unmockedToolPolicy", given.one->'scorerIds' AS "scorerIds",
		given.one->'requestContext' AS "requestContext", given.one->'metadata' AS metadata, given.one->'source' AS source,
		CASE WHEN given.one ? 'externalId' THEN jsonb_build_array(given.one->'input', given.one->'groundTruth',
			given.one->'expectedTrajectory', given.one->'toolMocks', given.one->'unmockedToolPolicy', given.one->'scorerIds',
			given.one->'requestContext', given.one->'metadata', given.one->'source') END AS payload
	FROM jsonb_array_elements(:{items}) WITH ORDINALITY AS given (one, ordinality)
-- use: plan
