-- Parts that the statements on datasets share. `d` is a dataset, `i` a row of an item.
-- part: dataset
	d.id, d.name, d.description, d.metadata, d."inputSchema", d."groundTruthSchema",
	d."requestContextSchema", d.tags, d."targetType", d."targetIds", d."scorerIds",
	d."organizationId", d."projectId", d."candidateKey", d."candidateId", d.version,
	COALESCE(d."createdAtZ", d."createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	COALESCE(d."updatedAtZ", d."updatedAt" AT TIME ZONE 'UTC') AS "updatedAt"
-- part: gate
	AND (:{filters.organizationId} IS NULL OR d."organizationId" = :{filters.organizationId})
	AND (:{filters.projectId} IS NULL OR d."projectId" = :{filters.projectId})
-- part: item
	-- A string of these three is data, so it is quoted once more: readers parse a string that holds JSON.
	i.id, i."datasetId", i."datasetVersion", i."externalId", i."organizationId", i."projectId",
	CASE WHEN jsonb_typeof(i.input) = 'string' THEN to_jsonb(i.input::text) ELSE i.input END AS input,
	CASE WHEN jsonb_typeof(i."groundTruth") = 'string' THEN to_jsonb(i."groundTruth"::text)
		ELSE i."groundTruth" END AS "groundTruth",
	CASE WHEN jsonb_typeof(i."expectedTrajectory") = 'string' THEN to_jsonb(i."expectedTrajectory"::text)
		ELSE i."expectedTrajectory" END AS "expectedTrajectory",
	i."toolMocks", i."unmockedToolPolicy", i."scorerIds", i."requestContext", i.metadata, i.source,
	COALESCE(i."createdAtZ", i."createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	COALESCE(i."updatedAtZ", i."updatedAt" AT TIME ZONE 'UTC') AS "updatedAt"
-- part: columns
		id, "datasetId", "datasetVersion", "externalId", "organizationId", "projectId", "validTo",
		"isDeleted", input, "groundTruth", "expectedTrajectory", "toolMocks", "unmockedToolPolicy",
		"scorerIds", "requestContext", metadata, source,
		"createdAt", "createdAtZ", "updatedAt", "updatedAtZ"
-- part: lock
SELECT d.id FROM :"schema".mastra_datasets AS d JOIN given ON d.id = :{datasetId} ORDER BY d.id FOR UPDATE OF d
-- part: schemas
-- The dataset's row stays locked, so that its version and its schemas stay as they are read here.
SELECT d."inputSchema", d."groundTruthSchema"
FROM :"schema".mastra_datasets AS d
WHERE d.id = :{datasetId}
-- part: plan
-- What becomes of each given item (`item`): a new row, the row that its externalId has already, or a conflict.
), known AS (
	SELECT DISTINCT ON (i."externalId") i.id, i."externalId", jsonb_build_array(i.input, i."groundTruth",
		i."expectedTrajectory", i."toolMocks", i."unmockedToolPolicy", i."scorerIds", i."requestContext",
		i.metadata, i.source) AS payload
	FROM :"schema".mastra_dataset_items AS i
	WHERE i."datasetId" = :{datasetId} AND i."externalId" IN (SELECT item."externalId" FROM item)
	ORDER BY i."externalId", i."datasetVersion"
), current AS (
	-- An id belongs to one dataset. Without a condition on the dataset only the primary key is of use.
	SELECT i.* FROM known JOIN :"schema".mastra_dataset_items AS i ON i.id = known.id
		AND i."validTo" IS NULL AND NOT i."isDeleted"
), first AS (
	SELECT DISTINCT ON (item."externalId") item.id, item.index, item."externalId", item.payload
	FROM item WHERE item."externalId" IS NOT NULL ORDER BY item."externalId", item.index
), planned AS MATERIALIZED (
	SELECT item.index, item."externalId", coalesce(known.id, first.id, item.id) AS id,
		CASE WHEN known.id IS NOT NULL AND current.id IS NULL THEN 'deleted'
			WHEN item.payload <> coalesce(known.payload, first.payload) THEN 'payload_mismatch' END AS reason,
		known.id IS NULL AND coalesce(first.index, item.index) = item.index AS fresh
	FROM item LEFT JOIN known USING ("externalId") LEFT JOIN current ON current.id = known.id
	LEFT JOIN first ON first."externalId" = item."externalId"
), refused AS (
	SELECT 'DATASET_ITEM_IDENTITY_CONFLICT' AS error, jsonb_build_object('conflicts', jsonb_agg(
		jsonb_build_object('index', p.index, 'externalId', p."externalId", 'existingItemId', p.id, 'reason', p.reason)
		ORDER BY p.index)) AS details
	FROM planned AS p WHERE p.reason IS NOT NULL HAVING count(*) > 0
), raised AS (
	UPDATE :"schema".mastra_datasets AS d SET version = d.version + 1
	WHERE d.id = :{datasetId} AND EXISTS (SELECT FROM planned WHERE planned.fresh)
		AND NOT EXISTS (SELECT FROM refused)
	RETURNING d.version, d."organizationId", d."projectId"
), made AS (
	INSERT INTO :"schema".mastra_dataset_items AS i (
-- use: columns
	)
	SELECT item.id, :{datasetId}, raised.version, item."externalId", raised."organizationId", raised."projectId", NULL,
		false, item.input, item."groundTruth", item."expectedTrajectory", nullif(item."toolMocks", 'null'),
		item."unmockedToolPolicy", nullif(item."scorerIds", 'null'), nullif(item."requestContext", 'null'),
		nullif(item.metadata, 'null'), nullif(item.source, 'null'),
		:{@now} AT TIME ZONE 'UTC', :{@now}, :{@now} AT TIME ZONE 'UTC', :{@now}
	FROM planned JOIN item USING (index) CROSS JOIN raised
	WHERE planned.fresh
	RETURNING i.*
), version AS (
	INSERT INTO :"schema".mastra_dataset_versions (id, "datasetId", version, "createdAt", "createdAtZ")
	SELECT gen_random_uuid()::text, :{datasetId}, raised.version, :{@now} AT TIME ZONE 'UTC', :{@now} FROM raised
)
SELECT refused.error, refused.details,
-- use: item
FROM planned LEFT JOIN refused ON true
LEFT JOIN (SELECT * FROM made UNION ALL SELECT * FROM current) AS i ON i.id = planned.id
ORDER BY planned.index
-- part: bury
-- Deleted items (`gone`): their rows end, a row of the next version says that they are deleted.
), raised AS (
	UPDATE :"schema".mastra_datasets AS d SET version = d.version + 1
	WHERE d.id IN (SELECT gone."datasetId" FROM gone)
	RETURNING d.id, d.version, d."organizationId", d."projectId"
), closed AS (
	UPDATE :"schema".mastra_dataset_items AS i SET "validTo" = raised.version
	FROM gone JOIN raised ON raised.id = gone."datasetId"
	WHERE i.id = gone.id AND i."validTo" IS NULL AND NOT i."isDeleted"
), buried AS (
	-- As in the reference, an absent value of a purged item becomes JSON's null here.
	INSERT INTO :"schema".mastra_dataset_items (
-- use: columns
	)
	SELECT gone.id, gone."datasetId", raised.version, gone."externalId", raised."organizationId", raised."projectId",
		NULL, true, gone.input,
		coalesce(gone."groundTruth", CASE WHEN gone.metadata @> '{"__purged": true}' THEN 'null'::jsonb END),
		coalesce(gone."expectedTrajectory", CASE WHEN gone.metadata @> '{"__purged": true}' THEN 'null'::jsonb END),
		gone."toolMocks", gone."unmockedToolPolicy", gone."scorerIds", gone."requestContext", gone.metadata, gone.source,
		coalesce(gone."createdAtZ" AT TIME ZONE 'UTC', gone."createdAt"),
		coalesce(gone."createdAtZ", gone."createdAt" AT TIME ZONE 'UTC'),
		:{@now} AT TIME ZONE 'UTC', :{@now}
	FROM gone JOIN raised ON raised.id = gone."datasetId" JOIN given ON given.place = gone.place
), version AS (
	INSERT INTO :"schema".mastra_dataset_versions (id, "datasetId", version, "createdAt", "createdAtZ")
	SELECT gen_random_uuid()::text, raised.id, raised.version, :{@now} AT TIME ZONE 'UTC', :{@now}
	FROM raised JOIN given ON raised.id = :{datasetId}
)
