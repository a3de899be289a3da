-- key: runId
-- reply: page
-- flags: read detached
-- page: 100 pagination
-- order: createdAt DESC
SELECT
-- use: score
WHERE "runId" = :{runId}
-- use: tenant
