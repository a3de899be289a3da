-- Parts that the statements on experiments share. `e` is an experiment, `r` a result. The reference leaves
-- startedAtZ and completedAtZ as they were when the row was made, so startedAt and completedAt are read.
-- part: experiment
	e.id, e.name, e.description, e.metadata, e.provenance, e."runnerAttestation", e."experimentSetId",
	e."comparisonId", e."variantId", e."trialIndex", e."datasetId", e."datasetVersion", e."agentVersion",
	e."targetType", e."targetId", e."scorerIds", e.status, e."totalItems", e."succeededCount", e."failedCount",
	coalesce(e."skippedCount", 0) AS "skippedCount", e."organizationId", e."projectId",
	e."startedAt" AT TIME ZONE 'UTC' AS "startedAt", e."completedAt" AT TIME ZONE 'UTC' AS "completedAt",
	coalesce(e."createdAtZ", e."createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	coalesce(e."updatedAtZ", e."updatedAt" AT TIME ZONE 'UTC') AS "updatedAt"
-- part: result
	r.id, r."experimentId", r."itemId", r."itemDatasetVersion", r.input, r.output, r."groundTruth", r.metadata,
	r.error, r."startedAt" AT TIME ZONE 'UTC' AS "startedAt", r."completedAt" AT TIME ZONE 'UTC' AS "completedAt",
	r."retryCount", coalesce(r.attempt, 0) AS attempt, r."traceId", r.status, r.tags, r.comment, r."toolMockReport",
	r."organizationId", r."projectId", coalesce(r."createdAtZ", r."createdAt" AT TIME ZONE 'UTC') AS "createdAt"
-- part: tenant
	AND (:{filters.organizationId} IS NULL OR "organizationId" = :{filters.organizationId})
	AND (:{filters.projectId} IS NULL OR "projectId" = :{filters.projectId})
	-- A null in the filter matches nothing, as in the reference.
	AND coalesce(jsonb_array_length(:{filters.isNull:jsonb}), 0) = 0
-- part: datasets
-- A purge of an item locks its dataset, and so waits for results of that item that are being written. Results
-- do not wait for each other.
SELECT d.id FROM :"schema".mastra_datasets AS d WHERE d.id IN (
	SELECT e."datasetId" FROM given JOIN :"schema".mastra_experiments AS e ON e.id = :{experimentId})
ORDER BY d.id FOR KEY SHARE OF d
-- part: purged
-- The mark of an item that was purged from the experiment's dataset.
LEFT JOIN LATERAL (
	SELECT i.metadata FROM :"schema".mastra_experiments AS e
	JOIN :"schema".mastra_datasets AS d ON d.id = e."datasetId"
	JOIN :"schema".mastra_dataset_items AS i ON i."datasetId" = d.id AND i.id = :{itemId}
		AND i.metadata ->> '__purged' = 'true'
	WHERE e.id = :{experimentId} LIMIT 1
) AS purged ON true
-- part: columns
	"experimentId", "itemId", "itemDatasetVersion", "organizationId", "projectId", input, output, "groundTruth",
	metadata, error, "startedAt", "startedAtZ", "completedAt", "completedAtZ", "retryCount", attempt, "traceId",
	status, tags, "toolMockReport"
-- part: values
	:{experimentId}, :{itemId}, :{itemDatasetVersion}, :{organizationId}, :{projectId},
	CASE WHEN asked.mark IS NULL THEN :{input} ELSE 'null' END,
	CASE WHEN asked.mark IS NULL THEN nullif(:{output}, 'null') END,
	CASE WHEN asked.mark IS NULL THEN nullif(:{groundTruth}, 'null') END,
	coalesce(asked.mark, :{metadata}, 'null'),
	CASE WHEN asked.mark IS NULL THEN :{error} END,
	:{startedAt} AT TIME ZONE 'UTC', :{startedAt}, :{completedAt} AT TIME ZONE 'UTC', :{completedAt},
	:{retryCount}, coalesce(:{attempt}, 0), :{traceId}, :{status},
	CASE WHEN asked.mark IS NULL THEN :{tags} END,
	CASE WHEN asked.mark IS NULL THEN :{toolMockReport} END
