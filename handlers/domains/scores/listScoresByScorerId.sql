-- reply: page
-- flags: read detached
-- page: 100 pagination
-- order: createdAt DESC
SELECT
-- use: score
WHERE "scorerId" = :{scorerId}
	AND (COALESCE(:{entityId}, '') = '' OR "entityId" = :{entityId})
	AND (COALESCE(:{entityType}, '') = '' OR "entityType" = :{entityType})
	AND (COALESCE(:{source}, '') = '' OR source = :{source})
-- use: tenant
