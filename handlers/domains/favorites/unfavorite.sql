-- key: entityId
-- reply: row
-- flags: write fold
-- distinct: entityId
-- missing: ENTITY_NOT_FOUND {entityType} {entityId} not found
-- statement: lock
-- use: lock
-- statement: write
-- use: entity
), changed AS (
	DELETE FROM :"schema".mastra_favorites AS f USING entity JOIN given USING (place)
	WHERE f."userId" = :{userId} AND f."entityType" = entity.type AND f."entityId" = entity.id
	RETURNING f."entityType", f."entityId"
), agents AS (
	UPDATE :"schema".mastra_agents AS e SET "favoriteCount" = greatest(coalesce(e."favoriteCount", 0) - 1, 0)
-- use: agents
), skills AS (
	UPDATE :"schema".mastra_skills AS e SET "favoriteCount" = greatest(coalesce(e."favoriteCount", 0) - 1, 0)
-- use: skills
)
SELECT entity.place, false AS favorited,
-- use: count
