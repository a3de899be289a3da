-- key: entityId
-- reply: value
-- flags: read
SELECT EXISTS (SELECT FROM :"schema".mastra_favorites
	WHERE "userId" = :{userId} AND "entityType" = :{entityType} AND "entityId" = :{entityId})
