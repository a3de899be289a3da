-- key: experimentId
-- reply: page
-- flags: read
-- page: 100 pagination
-- order: strict startedAt ASC, createdAt
SELECT
-- use: result
FROM :"schema".mastra_experiment_results AS r
WHERE r."experimentId" = :{experimentId}
	AND (coalesce(:{traceId}, '') = '' OR r."traceId" = :{traceId})
	AND (coalesce(:{status}, '') = '' OR r.status = :{status})
	AND (coalesce(jsonb_array_length(:{tags:jsonb}), 0) = 0 OR r.tags @> :{tags:jsonb})
-- use: tenant
ORDER BY :{order r}, r.id ASC
