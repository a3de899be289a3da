-- Parts of favorite.sql and unfavorite.sql.

-- part: lock
SELECT e.id FROM (
	SELECT 'agent' AS type, a.id FROM given JOIN :"schema".mastra_agents AS a ON a.id = :{entityId}
		AND :{entityType} = 'agent' ORDER BY a.id FOR UPDATE OF a) AS e
UNION ALL SELECT e.id FROM (
	SELECT 'skill' AS type, s.id FROM given JOIN :"schema".mastra_skills AS s ON s.id = :{entityId}
		AND :{entityType} = 'skill' ORDER BY s.id FOR UPDATE OF s) AS e
-- part: entity
WITH entity AS (
	SELECT given.place, 'agent' AS type, a.id, a."favoriteCount" FROM given
	JOIN :"schema".mastra_agents AS a ON a.id = :{entityId} AND :{entityType} = 'agent'
	UNION ALL
	SELECT given.place, 'skill', s.id, s."favoriteCount" FROM given
	JOIN :"schema".mastra_skills AS s ON s.id = :{entityId} AND :{entityType} = 'skill'
-- part: agents
	FROM changed WHERE changed."entityType" = 'agent' AND e.id = changed."entityId"
	RETURNING e.id, 'agent' AS type, e."favoriteCount"
-- part: skills
	FROM changed WHERE changed."entityType" = 'skill' AND e.id = changed."entityId"
	RETURNING e.id, 'skill' AS type, e."favoriteCount"
-- part: count
	coalesce((SELECT c."favoriteCount" FROM (SELECT * FROM agents UNION ALL SELECT * FROM skills) AS c
		WHERE c.type = entity.type AND c.id = entity.id), entity."favoriteCount", 0) AS "favoriteCount"
FROM entity
