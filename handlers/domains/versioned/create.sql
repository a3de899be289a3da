-- key: %one%.id
-- reply: row
-- flags: write fold
-- absent: undefined
-- distinct: %one%.id
-- error: %ONE%_EXISTS CONFLICT the %one% {%one%.id} exists already
-- error: VERSION_EXISTS CONFLICT the %one% {%one%.id} was deleted, but its version 1 is still there: delete its versions first
-- The entity and its version 1. A known id changes nothing.
WITH taken AS (
	SELECT given.place FROM given
%if unique% 	WHERE EXISTS (SELECT FROM :"schema".%versions% AS v
%if unique% 		WHERE v."%parent%" = :{%one%.id} AND v."versionNumber" = 1)
%unless unique% 	WHERE false
), made AS (
	INSERT INTO :"schema".%entities% AS e (id, status, "authorId",
%if visibility% 		visibility,
%if metadata% 		metadata,
%if tenant% 		"organizationId", "projectId",
%if favorites% 		"favoriteCount",
		"createdAt", "createdAtZ", "updatedAt", "updatedAtZ")
	SELECT :{%one%.id}, 'draft', :{%one%.authorId},
%if visibility% 		coalesce(:{%one%.visibility}, CASE WHEN :{%one%.authorId} <> '' THEN 'private' END),
%if metadata% 		nullif(:{%one%.metadata}, 'null'),
%if tenant% 		:{%one%.organizationId}, :{%one%.projectId},
%if favorites% 		0,
		:{@now} AT TIME ZONE 'UTC', :{@now}, :{@now} AT TIME ZONE 'UTC', :{@now}
	FROM given WHERE given.place NOT IN (SELECT place FROM taken)
	ORDER BY :{%one%.id}
	ON CONFLICT (id) DO NOTHING
	RETURNING e.*
), version AS (
	INSERT INTO :"schema".%versions% (id, "%parent%", "versionNumber", %snapshot: "{name}"%,
		"changedFields", "changeMessage", "createdAt", "createdAtZ")
	SELECT gen_random_uuid()::text, made.id, 1, %snapshot: {write}%,
%if given% 		to_jsonb(array_remove(ARRAY[%snapshot: {named}%], NULL)),
%unless given% 		to_jsonb(ARRAY[%snapshot: '{name}'%]),
		'Initial version', :{@now} AT TIME ZONE 'UTC', :{@now}
	FROM made JOIN given ON made.id = :{%one%.id}
)
SELECT given.place, CASE WHEN taken.place IS NOT NULL AND NOT EXISTS (
			SELECT FROM :"schema".%entities% AS known WHERE known.id = :{%one%.id})
		THEN 'VERSION_EXISTS' WHEN e.id IS NULL THEN '%ONE%_EXISTS' END AS error,
-- use: entity
FROM given LEFT JOIN made AS e ON e.id = :{%one%.id} LEFT JOIN taken ON taken.place = given.place
