-- key: runId
-- reply: custom
-- flags: write
-- handler: workflows_update_workflow_results
-- missing: WORKFLOW_SNAPSHOT_NOT_FOUND Snapshot context not found for runId {runId}
-- $1 workflow name, $2 run id, $3 step id, $4 its result, $5 request context, $6 now, $7 whether to
-- return the context. Returns no row if the snapshot has no context.
-- A step that runs once for each item (foreach) has an array as output, which is merged by position:
-- a null keeps the stored item; a pending marker resets it to null if it is a marker or a suspended
-- result. If the new output has a marker, the statement does nothing but these resets to the step.
INSERT INTO :"schema".mastra_workflow_snapshot AS run
	(workflow_name, run_id, snapshot, "createdAt", "createdAtZ", "updatedAt", "updatedAtZ")
VALUES ($1::text, $2::text, jsonb_build_object(
		'context', jsonb_build_object($3::text, $4::jsonb),
		'activePaths', '[]'::jsonb,
		'timestamp', trunc(extract(epoch FROM $6::timestamptz) * 1000),
		'suspendedPaths', '{}'::jsonb,
		'activeStepsPath', '{}'::jsonb,
		'resumeLabels', '{}'::jsonb,
		'serializedStepGraph', '[]'::jsonb,
		'status', 'pending',
		'value', '{}'::jsonb,
		'waitingPaths', '{}'::jsonb,
		'runId', $2::text,
		'requestContext', CASE jsonb_typeof($5::jsonb) WHEN 'object' THEN $5::jsonb ELSE '{}' END),
	$6::timestamptz AT TIME ZONE 'UTC', $6::timestamptz,
	$6::timestamptz AT TIME ZONE 'UTC', $6::timestamptz)
ON CONFLICT (workflow_name, run_id) DO UPDATE SET
	snapshot = (
		SELECT jsonb_set(
			jsonb_set(before, ARRAY['context', $3::text], step),
			'{requestContext}',
			CASE jsonb_typeof(before -> 'requestContext') WHEN 'object'
				THEN before -> 'requestContext' ELSE '{}' END
				|| CASE jsonb_typeof($5::jsonb) WHEN 'object' THEN $5::jsonb ELSE '{}' END)
		FROM (SELECT run.snapshot::jsonb AS before) AS held
		CROSS JOIN LATERAL (SELECT before #> ARRAY['context', $3::text] AS prior) AS found
		CROSS JOIN LATERAL (SELECT CASE
			WHEN jsonb_typeof(prior -> 'output') = 'array' AND jsonb_typeof($4::jsonb -> 'output') = 'array'
			THEN (
				SELECT prior
					|| CASE WHEN bool_or(new.item = '{"__mastra_pending__": true}')
						THEN '{}' ELSE $4::jsonb END
					|| jsonb_build_object('output', COALESCE(jsonb_agg(CASE
						WHEN new.place IS NULL THEN old.item
						WHEN new.item = '{"__mastra_pending__": true}' THEN CASE
							WHEN old.place IS NULL OR old.item IN ('null', '{"__mastra_pending__": true}')
								OR old.item ->> 'status' = 'suspended' AND old.item ?| '{suspendPayload,suspendedAt}'
							THEN 'null' ELSE old.item END
						WHEN new.item <> 'null' AND NOT new.marked THEN new.item
						ELSE COALESCE(old.item, 'null')
						END ORDER BY place), '[]'))
				FROM jsonb_array_elements(prior -> 'output') WITH ORDINALITY AS old (item, place)
				FULL JOIN (
					SELECT item, place, bool_or(item = '{"__mastra_pending__": true}') OVER () AS marked
					FROM jsonb_array_elements($4::jsonb -> 'output') WITH ORDINALITY AS given (item, place)
				) AS new USING (place)
			)
			ELSE $4::jsonb END AS step) AS merged
	),
	"updatedAt" = EXCLUDED."updatedAt",
	"updatedAtZ" = EXCLUDED."updatedAtZ"
WHERE run.snapshot::jsonb @@ '$.context.type() == "object"'
RETURNING CASE WHEN $7::bool THEN snapshot::jsonb -> 'context' END AS context
