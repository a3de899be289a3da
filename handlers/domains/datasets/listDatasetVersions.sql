-- key: datasetId
-- reply: page
-- flags: read
-- page: 100 pagination echo
-- order: version DESC
SELECT v.id, v."datasetId", v.version, COALESCE(v."createdAtZ", v."createdAt" AT TIME ZONE 'UTC') AS "createdAt"
FROM :"schema".mastra_dataset_versions AS v
WHERE v."datasetId" = :{datasetId}
ORDER BY :{order v}, v.id
