-- key: experimentId
-- reply: row
-- flags: write fold
-- distinct: experimentId itemId
-- error: EXPERIMENT_RESULT_EXISTS CONFLICT another program added the result of item {itemId} in experiment {experimentId} at the same time
-- Replaces all of a known result but its comment and its time. Results of older releases have no attempt, which is 0.
-- statement: datasets
-- use: datasets
-- statement: lock
SELECT r.id FROM given JOIN :"schema".mastra_experiment_results AS r ON r."experimentId" = :{experimentId}
	AND r."itemId" = :{itemId} AND coalesce(r.attempt, 0) = coalesce(:{attempt}, 0)
ORDER BY r.id FOR UPDATE OF r
-- statement: write
WITH asked AS MATERIALIZED (
	SELECT given.place, known.id AS known, coalesce(known.id, gen_random_uuid()::text) AS id, purged.metadata AS mark
	FROM given
	LEFT JOIN LATERAL (SELECT r.id FROM :"schema".mastra_experiment_results AS r
		WHERE r."experimentId" = :{experimentId} AND r."itemId" = :{itemId}
			AND coalesce(r.attempt, 0) = coalesce(:{attempt}, 0)
		ORDER BY r.attempt, r.id LIMIT 1) AS known ON true
-- use: purged
), made AS (
	INSERT INTO :"schema".mastra_experiment_results AS r (id, "createdAt", "createdAtZ",
-- use: columns
	)
	SELECT asked.id, :{@now} AT TIME ZONE 'UTC', :{@now},
-- use: values
	FROM given JOIN asked USING (place)
	WHERE asked.known IS NULL
	ORDER BY :{experimentId}, :{itemId}
	ON CONFLICT DO NOTHING
	RETURNING r.*
), changed AS (
	UPDATE :"schema".mastra_experiment_results AS r SET (
-- use: columns
	) = ROW (
-- use: values
	)
	FROM given JOIN asked USING (place)
	WHERE r.id = asked.known
	RETURNING r.*
)
SELECT asked.place, CASE WHEN r.id IS NULL THEN 'EXPERIMENT_RESULT_EXISTS' END AS "@error",
-- use: result
FROM asked LEFT JOIN (SELECT * FROM made UNION ALL SELECT * FROM changed) AS r ON r.id = asked.id
