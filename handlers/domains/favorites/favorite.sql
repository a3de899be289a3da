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
	INSERT INTO :"schema".mastra_favorites ("userId", "entityType", "entityId", "createdAt", "createdAtZ")
	SELECT :{userId}, entity.type, entity.id, :{@now} AT TIME ZONE 'UTC', :{@now}
	FROM entity JOIN given USING (place) ORDER BY entity.id
	ON CONFLICT ("userId", "entityType", "entityId") DO NOTHING
	RETURNING "entityType", "entityId"
), agents AS (
	UPDATE :"schema".mastra_agents AS e SET "favoriteCount" = coalesce(e."favoriteCount", 0) + 1
-- use: agents
), skills AS (
	UPDATE :"schema".mastra_skills AS e SET "favoriteCount" = coalesce(e."favoriteCount", 0) + 1
-- use: skills
)
SELECT entity.place, true AS favorited,
-- use: count
