-- key: runId
-- reply: custom
-- flags: write
-- handler: workflows_update_workflow_state
-- missing: WORKFLOW_SNAPSHOT_NOT_FOUND Snapshot not found for runId {runId}
-- codes: INVALID_STATUS
-- $1 workflow name, $2 run id, $3 members to change, $4 statuses that allow the change (null: any),
-- $5 now, $6 whether to return the snapshot. Returns no row if the run does not exist; "readable" is
-- false if its snapshot has no context.
WITH held AS (
	SELECT COALESCE(snapshot::jsonb @@ '$.context.type() == "object"', false) AS readable,
		$4::text[] IS NULL OR COALESCE(snapshot::jsonb ->> 'status' = ANY ($4::text[]), false) AS allowed
	FROM :"schema".mastra_workflow_snapshot
	WHERE workflow_name = $1::text AND run_id = $2::text
	FOR UPDATE
), changed AS (
	UPDATE :"schema".mastra_workflow_snapshot
	SET snapshot = snapshot::jsonb || $3::jsonb,
		"updatedAt" = $5::timestamptz AT TIME ZONE 'UTC',
		"updatedAtZ" = $5::timestamptz
	FROM held
	WHERE readable AND allowed AND workflow_name = $1::text AND run_id = $2::text
	RETURNING CASE WHEN $6::bool THEN snapshot END AS snapshot
)
SELECT readable, (SELECT snapshot FROM changed) AS snapshot FROM held
