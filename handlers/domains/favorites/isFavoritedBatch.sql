-- reply: rows
-- flags: read
SELECT "entityId" FROM :"schema".mastra_favorites
WHERE "userId" = :{userId} AND "entityType" = :{entityType} AND "entityId" = ANY (:{entityIds})
ORDER BY "entityId"
