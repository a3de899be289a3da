-- key: %parent%
-- reply: row
-- flags: write fold
%unless replaced% -- absent: undefined
-- distinct: id
-- error: VERSION_EXISTS CONFLICT the version {id} exists already, or %parent% {%parent%} has a version of this number
WITH made AS (
	INSERT INTO :"schema".%versions% AS v (id, "%parent%", "versionNumber", %snapshot: "{name}"%,
		"changedFields", "changeMessage", "createdAt", "createdAtZ")
	SELECT :{id}, :{%parent%}, :{versionNumber}, %snapshot: {own}%,
		:{changedFields:jsonb}, :{changeMessage}, :{@now} AT TIME ZONE 'UTC', :{@now}
	FROM given ORDER BY :{%parent%}, :{versionNumber}, given.place
	ON CONFLICT DO NOTHING
	RETURNING v.*
)
SELECT given.place, CASE WHEN v.id IS NULL THEN 'VERSION_EXISTS' END AS error,
	v.id, v."%parent%", v."versionNumber", %snapshot: {returned}%,
	v."changedFields", v."changeMessage", v."createdAtZ" AS "createdAt"
FROM given LEFT JOIN made AS v ON v.id = :{id}
