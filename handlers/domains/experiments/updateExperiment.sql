-- key: id
-- reply: row
-- flags: write fold
-- distinct: id
-- missing: EXPERIMENT_NOT_FOUND experiment {id} not found
WITH locked AS (
	SELECT e.id,
		CASE WHEN :{clear:jsonb} ? 'startedAt' THEN NULL
			ELSE coalesce(:{startedAt}, e."startedAt" AT TIME ZONE 'UTC') END AS started,
		CASE WHEN :{clear:jsonb} ? 'completedAt' THEN NULL
			ELSE coalesce(:{completedAt}, e."completedAt" AT TIME ZONE 'UTC') END AS completed
	FROM given JOIN :"schema".mastra_experiments AS e ON e.id = :{id} ORDER BY e.id FOR UPDATE OF e
)
UPDATE :"schema".mastra_experiments AS e SET :{patch e name description},
	metadata = CASE WHEN :{clear:jsonb} ? 'metadata' THEN 'null' ELSE coalesce(:{metadata}, e.metadata) END,
	status = coalesce(:{status}, e.status),
	"totalItems" = coalesce(:{totalItems}, e."totalItems"),
	"succeededCount" = coalesce(:{succeededCount}, e."succeededCount"),
	"failedCount" = coalesce(:{failedCount}, e."failedCount"),
	"skippedCount" = coalesce(:{skippedCount}, e."skippedCount"),
	"startedAt" = locked.started AT TIME ZONE 'UTC', "startedAtZ" = locked.started,
	"completedAt" = locked.completed AT TIME ZONE 'UTC', "completedAtZ" = locked.completed,
	"updatedAt" = :{@now} AT TIME ZONE 'UTC', "updatedAtZ" = :{@now}
FROM given JOIN locked ON locked.id = :{id}
WHERE e.id = locked.id
RETURNING given.place,
-- use: experiment
