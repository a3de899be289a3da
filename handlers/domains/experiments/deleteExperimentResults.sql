-- key: experimentId
-- reply: none
-- flags: write fold
-- distinct: experimentId
-- Filters ask for an experiment of that tenant; without them the experiment need not exist.
DELETE FROM :"schema".mastra_experiment_results AS r USING given
WHERE r."experimentId" = :{experimentId}
	AND ((:{filters.organizationId} IS NULL AND :{filters.projectId} IS NULL
			AND coalesce(jsonb_array_length(:{filters.isNull:jsonb}), 0) = 0)
		OR EXISTS (SELECT id FROM :"schema".mastra_experiments WHERE id = :{experimentId}
-- use: tenant
	))
