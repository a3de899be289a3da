-- key: runId
-- reply: none
-- flags: write
-- params: workflowName, runId
DELETE FROM :"schema".mastra_workflow_snapshot
WHERE workflow_name = $1::text AND run_id = $2::text
