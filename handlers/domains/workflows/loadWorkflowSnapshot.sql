-- key: runId
-- reply: value
-- flags: read
-- params: workflowName, runId
SELECT snapshot
FROM :"schema".mastra_workflow_snapshot
WHERE workflow_name = $1::text AND run_id = $2::text
ORDER BY "createdAt" DESC, workflow_name DESC, run_id DESC
LIMIT 1
