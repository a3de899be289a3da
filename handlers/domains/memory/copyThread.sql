-- key: sourceThreadId
-- reply: custom
-- flags: write
-- handler: memory_copy_thread
-- codes: SOURCE_THREAD_NOT_FOUND, THREAD_EXISTS
-- $1 source thread, $2 new thread, $3 resource or null, $4 title or null, $5 metadata or null,
-- $6 now, $7 now as text. Which messages to copy: $8 from, $9 to, $10 ids, $11 how many, counted
-- from the last one (each null: no condition).
-- Returns one row if the source exists; its "id" is null if the new thread existed already.
WITH source AS (
	SELECT id, COALESCE($3::text, "resourceId") AS resource_id,
		COALESCE($4::text, CASE WHEN title = '' THEN '' ELSE 'Clone of ' || title END) AS title
	FROM :"schema".mastra_threads WHERE id = $1::text
), picked AS MATERIALIZED (
	SELECT m.id, gen_random_uuid()::text AS new_id, m.content, m."createdAt", m."createdAtZ",
		m.role, m.type
	FROM :"schema".mastra_messages AS m
	WHERE m.thread_id = $1::text
		AND ($8::timestamptz IS NULL
			OR COALESCE(m."createdAtZ", m."createdAt" AT TIME ZONE 'UTC') >= $8::timestamptz)
		AND ($9::timestamptz IS NULL
			OR COALESCE(m."createdAtZ", m."createdAt" AT TIME ZONE 'UTC') <= $9::timestamptz)
		AND ($10::text[] IS NULL OR m.id = ANY ($10::text[]))
	ORDER BY m."createdAt" DESC, m.id DESC
	LIMIT $11::int8
), made AS (
	INSERT INTO :"schema".mastra_threads
		(id, "resourceId", title, metadata, "createdAt", "createdAtZ", "updatedAt", "updatedAtZ")
	SELECT $2::text, resource_id, title,
		CASE jsonb_typeof($5::jsonb) WHEN 'object' THEN $5::jsonb ELSE '{}' END ||
		jsonb_build_object('clone', jsonb_strip_nulls(jsonb_build_object(
			'sourceThreadId', $1::text, 'clonedAt', $7::text, 'lastMessageId',
			(SELECT id FROM picked ORDER BY "createdAt" DESC, id DESC LIMIT 1)))),
		$6::timestamptz AT TIME ZONE 'UTC', $6::timestamptz,
		$6::timestamptz AT TIME ZONE 'UTC', $6::timestamptz
	FROM source
	ON CONFLICT (id) DO NOTHING
	RETURNING id, "resourceId", title, metadata
), copied AS (
	INSERT INTO :"schema".mastra_messages
		(id, thread_id, content, "createdAt", "createdAtZ", role, type, "resourceId")
	SELECT picked.new_id, made.id, picked.content, picked."createdAt", picked."createdAtZ",
		picked.role, picked.type, made."resourceId"
	FROM picked CROSS JOIN made
)
SELECT made.id, made."resourceId", made.title, made.metadata,
	$6::timestamptz AS "createdAt", $6::timestamptz AS "updatedAt",
	ARRAY(SELECT id FROM picked ORDER BY "createdAt", id) AS old_ids,
	ARRAY(SELECT new_id FROM picked ORDER BY "createdAt", id) AS new_ids
FROM source LEFT JOIN made ON true
