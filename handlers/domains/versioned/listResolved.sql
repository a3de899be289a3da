-- reply: page
-- flags: read
-- page: 100
-- order: createdAt DESC, updatedAt
-- `status` filters, and chooses the version: a draft shows the latest one, any other the active one.
SELECT
-- use: entity
	, %snapshot: {read}%, v.id AS "resolvedVersionId"
-- use: matching
-- OFFSET: as in getByIdResolved.
LEFT JOIN LATERAL (SELECT coalesce(
	CASE WHEN coalesce(:{status}, '') <> 'draft' THEN
		(SELECT a.id FROM :"schema".%versions% AS a WHERE a.id = e."activeVersionId") END,
	(SELECT l.id FROM :"schema".%versions% AS l WHERE l."%parent%" = e.id
		ORDER BY l."versionNumber" DESC, l.id DESC LIMIT 1)) AS id OFFSET 0) AS chosen ON true
LEFT JOIN :"schema".%versions% AS v ON v.id = chosen.id
-- use: conditions
-- use: order
