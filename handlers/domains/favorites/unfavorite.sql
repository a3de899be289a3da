-- key: entityId
-- reply: row
-- flags: write fold
-- distinct: entityId
-- missing: ENTITY_NOT_FOUND {entityType} {entityId} not found
-- statement: lock
SELECT e.id FROM (
	SELECT 'agent' AS type, a.id FROM given JOIN :"schema".mastra_agents AS a ON a.id = :{entityId}
		AND :{entityType} = 'agent' ORDER BY a.id FOR UPDATE OF a) AS e
UNION ALL SELECT e.id FROM (
	SELECT 'skill' AS type, s.id FROM given JOIN :"schema".mastra_skills AS s ON s.id = :{entityId}
		AND :{entityType} = 'skill' ORDER BY s.id FOR UPDATE OF s) AS e
-- statement: write
WITH entity AS (
	SELECT given.place, 'agent' AS type, a.id, a."favoriteCount" FROM given
	JOIN :"schema".mastra_agents AS a ON a.id = :{entityId} AND :{entityType} = 'agent'
	UNION ALL
	SELECT given.place, 'skill', s.id, s."favoriteCount" FROM given
	JOIN :"schema".mastra_skills AS s ON s.id = :{entityId} AND :{entityType} = 'skill'
), changed AS (
	DELETE FROM :"schema".mastra_favorites AS f USING entity JOIN given USING (place)
	WHERE f."userId" = :{userId} AND f."entityType" = entity.type AND f."entityId" = entity.id
	RETURNING f."entityType", f."entityId"
), agents AS (
	UPDATE :"schema".mastra_agents AS e SET "favoriteCount" = greatest(coalesce(e."favoriteCount", 0) - 1, 0)
	FROM changed WHERE changed."entityType" = 'agent' AND e.id = changed."entityId"
	RETURNING e.id, 'agent' AS type, e."favoriteCount"
), skills AS (
	UPDATE :"schema".mastra_skills AS e SET "favoriteCount" = greatest(coalesce(e."favoriteCount", 0) - 1, 0)
	FROM changed WHERE changed."entityType" = 'skill' AND e.id = changed."entityId"
	RETURNING e.id, 'skill' AS type, e."favoriteCount"
)
SELECT entity.place, false AS favorited,
	coalesce((SELECT c."favoriteCount" FROM (SELECT * FROM agents UNION ALL SELECT * FROM skills) AS c
		WHERE c.type = entity.type AND c.id = entity.id), entity."favoriteCount", 0) AS "favoriteCount"
FROM entity
