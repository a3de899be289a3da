-- key: thread.id
-- reply: custom
-- flags: write fold
-- absent: undefined
-- handler: memory_save_thread
-- codes: INVALID_METADATA, TITLE_REQUIRED
-- One row per thread, distinct and sorted by id: $1 ids, $2 resource ids, $3 titles, $4 metadata,
-- $5 created, $6 updated.
INSERT INTO :"schema".mastra_threads AS t
	(id, "resourceId", title, metadata, "createdAt", "createdAtZ", "updatedAt", "updatedAtZ")
SELECT id, resource_id, title, metadata, created AT TIME ZONE 'UTC', created,
	updated AT TIME ZONE 'UTC', updated
FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[], $6::timestamptz[])
	AS given (id, resource_id, title, metadata, created, updated)
ON CONFLICT (id) DO UPDATE SET
	"resourceId" = EXCLUDED."resourceId",
	title = EXCLUDED.title,
	metadata = EXCLUDED.metadata,
	"createdAt" = EXCLUDED."createdAt",
	"createdAtZ" = EXCLUDED."createdAtZ",
	"updatedAt" = EXCLUDED."updatedAt",
	"updatedAtZ" = EXCLUDED."updatedAtZ"
