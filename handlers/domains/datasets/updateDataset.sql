-- key: id
-- reply: row
-- flags: write barrier
-- handler: datasets_update
-- missing: DATASET_NOT_FOUND Dataset not found: {id}
-- codes: DATASET_SCHEMA_INVALID, DATASET_SCHEMA_MISFITS_ITEMS
-- statement: lock
-- The schemas as they will be, and whether they change what items must fit.
SELECT s."inputSchema", s."groundTruthSchema",
	(s."inputSchema", s."groundTruthSchema") IS DISTINCT FROM (d."inputSchema", d."groundTruthSchema") AS changed
FROM :"schema".mastra_datasets AS d, LATERAL (SELECT
	CASE WHEN :{clear:jsonb} ? 'inputSchema' THEN NULL
		ELSE nullif(coalesce(:{inputSchema}, d."inputSchema"), 'null') END AS "inputSchema",
	CASE WHEN :{clear:jsonb} ? 'groundTruthSchema' THEN NULL
		ELSE nullif(coalesce(:{groundTruthSchema}, d."groundTruthSchema"), 'null') END AS "groundTruthSchema") AS s
WHERE d.id = :{id}
-- use: gate
FOR UPDATE OF d
-- statement: items
-- A purged item has a null for its groundTruth.
SELECT i.id, i.input,
	coalesce(i."groundTruth", CASE WHEN i.metadata @> '{"__purged": true}' THEN 'null'::jsonb END) AS "groundTruth"
FROM :"schema".mastra_dataset_items AS i
WHERE i."datasetId" = :{id} AND i."validTo" IS NULL AND NOT i."isDeleted"
ORDER BY i."createdAt" DESC, i.id ASC
-- statement: write
UPDATE :"schema".mastra_datasets AS d SET
	name = coalesce(:{name}, d.name), description = coalesce(:{description}, d.description),
	metadata = coalesce(:{metadata}, d.metadata),
	"inputSchema" = CASE WHEN :{clear:jsonb} ? 'inputSchema' THEN NULL
		ELSE nullif(coalesce(:{inputSchema}, d."inputSchema"), 'null') END,
	"groundTruthSchema" = CASE WHEN :{clear:jsonb} ? 'groundTruthSchema' THEN NULL
		ELSE nullif(coalesce(:{groundTruthSchema}, d."groundTruthSchema"), 'null') END,
	"requestContextSchema" = CASE WHEN :{clear:jsonb} ? 'requestContextSchema' THEN NULL
		ELSE nullif(coalesce(:{requestContextSchema}, d."requestContextSchema"), 'null') END,
	:{patch d targetType},
	tags = CASE WHEN :{clear:jsonb} ? 'tags' THEN NULL ELSE coalesce(:{tags:jsonb}, d.tags) END,
	"targetIds" = CASE WHEN :{clear:jsonb} ? 'targetIds' THEN NULL ELSE coalesce(:{targetIds:jsonb}, d."targetIds") END,
	"scorerIds" = CASE WHEN :{clear:jsonb} ? 'scorerIds' THEN NULL ELSE coalesce(:{scorerIds:jsonb}, d."scorerIds") END,
	"updatedAt" = :{@now} AT TIME ZONE 'UTC', "updatedAtZ" = :{@now}
WHERE d.id = :{id}
RETURNING
-- use: dataset
