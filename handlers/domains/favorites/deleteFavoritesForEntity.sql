-- key: entityId
-- reply: value
-- flags: write
WITH gone AS (
	DELETE FROM :"schema".mastra_favorites WHERE "entityType" = :{entityType} AND "entityId" = :{entityId} RETURNING 1
), agents AS (
	UPDATE :"schema".mastra_agents SET "favoriteCount" = 0 WHERE :{entityType} = 'agent' AND id = :{entityId}
), skills AS (
	UPDATE :"schema".mastra_skills SET "favoriteCount" = 0 WHERE :{entityType} = 'skill' AND id = :{entityId}
)
SELECT count(*)::int4 FROM gone
