-- key: id
-- reply: none
-- flags: write fold
-- distinct: id
-- The experiment with its results.
WITH gone AS (
	DELETE FROM :"schema".mastra_experiments AS e USING given WHERE e.id = :{id}
-- use: tenant
	RETURNING e.id
)
DELETE FROM :"schema".mastra_experiment_results AS r USING gone WHERE r."experimentId" = gone.id
