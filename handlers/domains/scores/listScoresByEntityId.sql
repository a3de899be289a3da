-- reply: page
-- flags: read detached
-- page: 100 pagination
-- order: createdAt DESC
SELECT
-- use: score
WHERE "entityId" = :{entityId} AND "entityType" = :{entityType}
-- use: tenant
