-- key: experimentId
-- reply: row
-- flags: write fold
-- distinct: id
-- error: EXPERIMENT_RESULT_EXISTS CONFLICT experiment {experimentId} has a result of item {itemId} and this attempt already, or the id is known
-- The experiment need not exist. Of a purged item only the mark of the purge is stored.
-- statement: lock
-- use: datasets
-- statement: write
WITH asked AS MATERIALIZED (
	SELECT given.place, coalesce(:{id}, gen_random_uuid()::text) AS id, purged.metadata AS mark
	FROM given
-- use: purged
), made AS (
	INSERT INTO :"schema".mastra_experiment_results AS r (id, "createdAt", "createdAtZ",
-- use: columns
	)
	SELECT asked.id, :{@now} AT TIME ZONE 'UTC', :{@now},
-- use: values
	FROM given JOIN asked USING (place)
	ORDER BY :{experimentId}, :{itemId}, coalesce(:{attempt}, 0), given.place
	ON CONFLICT DO NOTHING
	RETURNING r.*
)
SELECT asked.place, CASE WHEN r.id IS NULL THEN 'EXPERIMENT_RESULT_EXISTS' END AS "@error",
-- use: result
FROM asked LEFT JOIN made AS r ON r.id = asked.id
