-- key: datasetId
-- reply: page
-- flags: read
-- page: 100 pagination echo
-- order: strict createdAt DESC, updatedAt
SELECT
-- use: item
FROM :"schema".mastra_dataset_items AS i
WHERE i."datasetId" = :{datasetId} AND NOT i."isDeleted"
	AND (:{version} IS NULL AND i."validTo" IS NULL
		OR i."datasetVersion" <= :{version} AND (i."validTo" IS NULL OR i."validTo" > :{version}))
	AND (coalesce(:{search}, '') = '' OR i.input::text ILIKE '%' || :{search} || '%'
		OR i."groundTruth"::text ILIKE '%' || :{search} || '%')
	AND (:{filters.organizationId} IS NULL OR i."organizationId" = :{filters.organizationId})
	AND (:{filters.projectId} IS NULL OR i."projectId" = :{filters.projectId})
ORDER BY :{order i}, i.id ASC
