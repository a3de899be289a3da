-- reply: rows
-- flags: read
SELECT "entityId" FROM :"schema".mastra_favorites WHERE "userId" = :{userId} AND "entityType" = :{entityType}
ORDER BY "createdAt" DESC, "entityId" ASC
