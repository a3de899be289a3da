-- key: indexName
-- reply: custom
-- flags: read
-- handler: vectors_describe_build
-- codes: INVALID_INDEX_NAME
SELECT state,
	CASE WHEN state = 'building' THEN phase END AS phase,
	CASE WHEN state = 'building' THEN done END AS done,
	CASE WHEN state = 'building' THEN total END AS total,
	CASE WHEN state = 'done' THEN 100::float8
		WHEN state = 'building' AND total > 0 THEN least(100, 100 * done::float8 / total) END AS percent,
	attempts,
	created_at AS "createdAt", started_at AS "startedAt", finished_at AS "finishedAt", error
FROM :"schema".stowage_vector_builds
WHERE schema_name = $1::text AND index_name = $2::text
ORDER BY id DESC LIMIT 1
