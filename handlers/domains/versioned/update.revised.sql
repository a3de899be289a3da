-- key: id
-- reply: row
-- flags: write fold
-- distinct: id
-- error: %ONE%_NOT_FOUND NOT_FOUND %type% {id} not found
-- error: NO_VERSIONS CONFLICT %one% {id} has no version to change: create one first
-- Given fields of the version that differ from the latest version make a new one. An update that changes
-- nothing writes nothing.
-- statement: lock
SELECT e.id FROM :"schema".%entities% AS e JOIN given ON e.id = :{id} ORDER BY e.id FOR UPDATE OF e
-- statement: write
WITH latest AS (
	SELECT DISTINCT ON (v."%parent%") v.*
	FROM given JOIN :"schema".%versions% AS v ON v."%parent%" = :{id}
	ORDER BY v."%parent%", v."versionNumber" DESC
), asked AS (
	SELECT given.place, %anyOptional% AS snapshot,
		array_remove(ARRAY[%snapshot: {differs}%], NULL) AS changed
	FROM given LEFT JOIN latest AS v ON v."%parent%" = :{id}
), refused AS (
	SELECT asked.place FROM asked JOIN given USING (place)
	WHERE asked.snapshot AND NOT EXISTS (SELECT FROM latest WHERE latest."%parent%" = :{id})
), version AS (
	INSERT INTO :"schema".%versions% (id, "%parent%", "versionNumber", %snapshot: "{name}"%,
		"changedFields", "changeMessage", "createdAt", "createdAtZ")
	SELECT gen_random_uuid()::text, v."%parent%", v."versionNumber" + 1, %snapshot: {next}%,
		to_jsonb(asked.changed), 'Updated ' || array_to_string(asked.changed, ', '),
		:{@now} AT TIME ZONE 'UTC', :{@now}
	FROM given JOIN asked USING (place) JOIN latest AS v ON v."%parent%" = :{id}
	JOIN :"schema".%entities% AS e ON e.id = :{id}
	WHERE asked.snapshot AND cardinality(asked.changed) > 0
	ORDER BY v."%parent%"
), changed AS (
	UPDATE :"schema".%entities% AS e SET :{patch e authorId activeVersionId},
		status = coalesce(:{status}, CASE WHEN :{activeVersionId} IS NOT NULL THEN 'published' ELSE e.status END),
%if visibility% 		:{patch e visibility},
%if merged% 		metadata = CASE WHEN jsonb_typeof(:{metadata}) = 'object'
%if merged% 			THEN coalesce(e.metadata, '{}') || :{metadata} ELSE e.metadata END,
		"updatedAt" = :{@now} AT TIME ZONE 'UTC', "updatedAtZ" = :{@now}
	FROM given JOIN asked USING (place)
	WHERE e.id = :{id} AND given.place NOT IN (SELECT place FROM refused)
		AND (cardinality(asked.changed) > 0 OR :{authorId} IS NOT NULL OR :{activeVersionId} IS NOT NULL
			OR :{status} IS NOT NULL OR :{clear:jsonb} ?| ARRAY['authorId', 'activeVersionId', 'visibility']
%if visibility% 			OR :{visibility} IS NOT NULL
%if merged% 			OR :{metadata} IS NOT NULL
		)
	RETURNING e.*
)
SELECT given.place, CASE WHEN kept.id IS NULL THEN '%ONE%_NOT_FOUND'
	WHEN given.place IN (SELECT place FROM refused) THEN 'NO_VERSIONS' END AS error,
-- use: entity
FROM given LEFT JOIN :"schema".%entities% AS kept ON kept.id = :{id}
LEFT JOIN LATERAL (SELECT * FROM changed WHERE changed.id = kept.id
	UNION ALL SELECT kept.* WHERE NOT EXISTS (SELECT FROM changed WHERE changed.id = kept.id)) AS e ON true
