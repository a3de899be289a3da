-- key: id
-- reply: row
-- flags: write fold
-- distinct: id
-- missing: %ONE%_NOT_FOUND %type% {id} not found
-- The fields of a version in the request change nothing, as in the reference.
WITH locked AS (
	SELECT e.id FROM :"schema".%entities% AS e JOIN given ON e.id = :{id} ORDER BY e.id FOR UPDATE OF e
)
UPDATE :"schema".%entities% AS e SET :{patch e authorId activeVersionId},
	status = coalesce(:{status}, e.status),
%if visibility% 	:{patch e visibility},
%if replaced% 	metadata = CASE WHEN :{clear:jsonb} ? 'metadata' OR :{metadata} = 'null' THEN NULL
%if replaced% 		ELSE coalesce(:{metadata}, e.metadata) END,
%if merged% 	metadata = CASE WHEN jsonb_typeof(:{metadata}) = 'object'
%if merged% 		THEN coalesce(e.metadata, '{}') || :{metadata} ELSE e.metadata END,
	"updatedAt" = :{@now} AT TIME ZONE 'UTC', "updatedAtZ" = :{@now}
FROM given, locked
WHERE e.id = :{id} AND locked.id = e.id
RETURNING given.place,
-- use: entity
