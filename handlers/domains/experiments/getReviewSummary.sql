-- reply: rows
-- flags: read detached
SELECT r."experimentId", count(*) AS total,
	count(*) FILTER (WHERE r.status = 'needs-review') AS "needsReview",
	count(*) FILTER (WHERE r.status = 'reviewed') AS reviewed,
	count(*) FILTER (WHERE r.status = 'complete') AS complete
FROM :"schema".mastra_experiment_results AS r
GROUP BY r."experimentId" ORDER BY r."experimentId"
