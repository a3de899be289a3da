-- reply: page
-- flags: read
-- page: 100 pagination echo
-- order: strict createdAt DESC, updatedAt, name
SELECT
-- use: dataset
FROM :"schema".mastra_datasets AS d
WHERE true
-- use: gate
	AND (:{filters.candidateKey} IS NULL OR d."candidateKey" = :{filters.candidateKey})
	AND (:{filters.candidateId} IS NULL OR d."candidateId" = :{filters.candidateId})
	AND (:{filters.targetType} IS NULL OR d."targetType" = :{filters.targetType})
	AND (coalesce(cardinality(:{filters.targetIds}), 0) = 0 OR d."targetIds" ?| :{filters.targetIds})
	AND (coalesce(:{filters.name}, '') = '' OR d.name ILIKE '%' || :{filters.name} || '%')
ORDER BY :{order d}, d.id ASC
