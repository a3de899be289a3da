-- key: id
-- reply: row
-- flags: read positional
-- A given versionId names a version of any entity; an unknown one leaves the entity without a version.
SELECT
-- use: entity
	, %snapshot: {read}%, v.id AS "resolvedVersionId"
FROM :"schema".%entities% AS e
-- OFFSET keeps the choice apart from the join. Within the join's condition, PostgreSQL counts the cost of its
-- subqueries twice, and reads a whole small table of versions instead of an index.
LEFT JOIN LATERAL (SELECT CASE WHEN :{options.versionId} <> '' THEN :{options.versionId} ELSE coalesce(
	CASE WHEN coalesce(:{options.status}, '') <> 'draft' THEN
		(SELECT a.id FROM :"schema".%versions% AS a WHERE a.id = e."activeVersionId") END,
	(SELECT l.id FROM :"schema".%versions% AS l WHERE l."%parent%" = e.id
		ORDER BY l."versionNumber" DESC, l.id DESC LIMIT 1)) END AS id OFFSET 0) AS chosen ON true
LEFT JOIN :"schema".%versions% AS v ON v.id = chosen.id
WHERE e.id = :{id}
