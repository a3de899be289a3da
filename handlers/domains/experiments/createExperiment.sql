-- key: id
-- reply: row
-- flags: write fold
-- distinct: id
-- error: EXPERIMENT_EXISTS CONFLICT the experiment {id} exists already
WITH asked AS MATERIALIZED (
	SELECT given.place, coalesce(:{id}, gen_random_uuid()::text) AS id FROM given
), made AS (
	INSERT INTO :"schema".mastra_experiments AS e (id, name, description, metadata, provenance, "runnerAttestation",
		"experimentSetId", "comparisonId", "variantId", "trialIndex", "datasetId", "datasetVersion", "agentVersion",
		"targetType", "targetId", "scorerIds", status, "totalItems", "succeededCount", "failedCount", "skippedCount",
		"organizationId", "projectId", "startedAtZ", "completedAtZ", "createdAt", "createdAtZ", "updatedAt",
		"updatedAtZ")
	SELECT asked.id, :{name}, :{description}, nullif(:{metadata}, 'null'), :{provenance}, :{runnerAttestation},
		:{experimentSetId}, :{comparisonId}, :{variantId}, :{trialIndex}, :{datasetId}, :{datasetVersion},
		:{agentVersion}, :{targetType}, :{targetId}, :{scorerIds}, 'pending', :{totalItems}, 0, 0, 0,
		:{organizationId}, :{projectId}, NULL, NULL, :{@now} AT TIME ZONE 'UTC', :{@now},
		:{@now} AT TIME ZONE 'UTC', :{@now}
	FROM given JOIN asked USING (place) ORDER BY asked.id
	ON CONFLICT (id) DO NOTHING
	RETURNING e.*
)
SELECT asked.place, CASE WHEN e.id IS NULL THEN 'EXPERIMENT_EXISTS' END AS error,
-- use: experiment
FROM asked LEFT JOIN made AS e ON e.id = asked.id
