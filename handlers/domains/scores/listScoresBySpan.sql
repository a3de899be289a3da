-- reply: page
-- flags: read
-- page: 100 pagination
-- order: createdAt DESC
SELECT
-- use: score
WHERE "traceId" = :{traceId} AND "spanId" = :{spanId}
-- use: tenant
