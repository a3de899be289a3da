-- reply: page
-- flags: read
-- page: 100 pagination
-- order: strict createdAt DESC, status
-- As in the reference, an empty text is no condition in the first five.
SELECT
-- use: experiment
FROM :"schema".mastra_experiments AS e
WHERE (coalesce(:{datasetId}, '') = '' OR e."datasetId" = :{datasetId})
	AND (coalesce(:{targetType}, '') = '' OR e."targetType" = :{targetType})
	AND (coalesce(:{targetId}, '') = '' OR e."targetId" = :{targetId})
	AND (coalesce(:{agentVersion}, '') = '' OR e."agentVersion" = :{agentVersion})
	AND (coalesce(:{status}, '') = '' OR e.status = :{status})
	AND (:{experimentSetId} IS NULL OR e."experimentSetId" = :{experimentSetId})
	AND (:{comparisonId} IS NULL OR e."comparisonId" = :{comparisonId})
	AND (:{variantId} IS NULL OR e."variantId" = :{variantId})
	AND (:{trialIndex} IS NULL OR e."trialIndex" = :{trialIndex})
	AND coalesce(cardinality(:{isNull}), 0) = 0
-- use: tenant
ORDER BY :{order e}, e.id ASC
