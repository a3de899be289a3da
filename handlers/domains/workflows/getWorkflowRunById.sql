-- key: runId
-- reply: row
-- flags: read
-- params: runId, workflowName
-- As in the reference, an empty id or name is no condition. ORDER BY names the column with its table,
-- or it would mean the output column of the same name.
SELECT workflow_name AS "workflowName", run_id AS "runId", snapshot, "resourceId",
	COALESCE("createdAtZ", "createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	COALESCE("updatedAtZ", "updatedAt" AT TIME ZONE 'UTC') AS "updatedAt"
FROM :"schema".mastra_workflow_snapshot AS run
WHERE ($1::text = '' OR run_id = $1::text)
	AND (COALESCE($2::text, '') = '' OR workflow_name = $2::text)
ORDER BY run."createdAt" DESC, run.workflow_name DESC, run.run_id DESC
LIMIT 1
