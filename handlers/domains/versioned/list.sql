-- reply: page
-- flags: read
-- page: 100
-- order: createdAt DESC, updatedAt
SELECT
-- use: entity
-- use: matching
-- use: conditions
-- use: order
