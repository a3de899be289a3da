-- key: id
-- reply: row
-- flags: read positional
-- A given versionId names a version of any entity; an unknown one leaves the entity without a version.
SELECT
-- use: entity
	, %snapshot: {read}%, v.id AS "resolvedVersionId"
FROM :"schema".%entities% AS e
LEFT JOIN :"schema".%versions% AS v ON v.id = CASE WHEN :{options.versionId} <> '' THEN :{options.versionId} ELSE coalesce(
	CASE WHEN coalesce(:{options.status}, '') <> 'draft' THEN
		(SELECT a.id FROM :"schema".%versions% AS a WHERE a.id = e."activeVersionId") END,
	(SELECT l.id FROM :"schema".%versions% AS l WHERE l."%parent%" = e.id
		ORDER BY l."versionNumber" DESC, l.id DESC LIMIT 1)) END
WHERE e.id = :{id}
