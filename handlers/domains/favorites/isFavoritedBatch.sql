-- reply: value
-- flags: read
SELECT coalesce(array_agg("entityId" ORDER BY "entityId"), '{}') FROM :"schema".mastra_favorites
WHERE "userId" = :{userId} AND "entityType" = :{entityType} AND "entityId" = ANY (:{entityIds})
