-- reply: value
-- flags: read
SELECT coalesce(array_agg("entityId" ORDER BY "createdAt" DESC, "entityId" ASC), '{}')
FROM :"schema".mastra_favorites WHERE "userId" = :{userId} AND "entityType" = :{entityType}
