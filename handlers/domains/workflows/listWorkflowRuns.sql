-- key: workflowName
-- reply: custom
-- flags: read detached
-- handler: workflows_list_workflow_runs
-- codes: INVALID_PAGE
-- Both statements have the same filter: $1 workflow name, $2 status, $3 resource id, $4 thread id,
-- $5 and $6 the range of createdAt. Null or empty: no condition; the planner removes these, so that
-- indexes serve the rest (expressions are spelled as the indexes spell them).
-- The page also has $7 limit (null: all) and $8 offset.
-- A client sees dates in milliseconds, so the range includes the whole last one.
-- statement: count
SELECT count(*) AS total
FROM :"schema".mastra_workflow_snapshot
WHERE (COALESCE($1::text, '') = '' OR workflow_name = $1::text)
	AND ($2::text IS NULL OR snapshot::jsonb ->> 'status' = $2::text)
	AND (COALESCE($3::text, '') = '' OR "resourceId" = $3::text)
	AND (COALESCE($4::text, '') = '' OR COALESCE(jsonb_path_query_first(snapshot::jsonb,
		'$.context.* ? (@.status == "suspended").suspendPayload.__streamState.messageList.memoryInfo.threadId')
			#>> '{}', snapshot::jsonb #>> '{context,input,messageListState,memoryInfo,threadId}') = $4::text)
	AND ($5::timestamptz IS NULL OR "createdAt" >= $5::timestamptz AT TIME ZONE 'UTC')
	AND ($6::timestamptz IS NULL OR "createdAt" < ($6::timestamptz + interval '1 ms') AT TIME ZONE 'UTC')
-- statement: page
SELECT workflow_name AS "workflowName", run_id AS "runId", snapshot, "resourceId",
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	COALESCE("updatedAtZ", "updatedAt" AT TIME ZONE 'UTC') AS "updatedAt"
FROM :"schema".mastra_workflow_snapshot AS run
WHERE (COALESCE($1::text, '') = '' OR workflow_name = $1::text)
	AND ($2::text IS NULL OR snapshot::jsonb ->> 'status' = $2::text)
	AND (COALESCE($3::text, '') = '' OR "resourceId" = $3::text)
	AND (COALESCE($4::text, '') = '' OR COALESCE(jsonb_path_query_first(snapshot::jsonb,
		'$.context.* ? (@.status == "suspended").suspendPayload.__streamState.messageList.memoryInfo.threadId')
			#>> '{}', snapshot::jsonb #>> '{context,input,messageListState,memoryInfo,threadId}') = $4::text)
	AND ($5::timestamptz IS NULL OR run."createdAt" >= $5::timestamptz AT TIME ZONE 'UTC')
	AND ($6::timestamptz IS NULL OR run."createdAt" < ($6::timestamptz + interval '1 ms') AT TIME ZONE 'UTC')
ORDER BY run."createdAt" DESC, run.workflow_name DESC, run.run_id DESC
LIMIT $7::int8 OFFSET $8::int8
