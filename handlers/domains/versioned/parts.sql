-- Parts that the statements of the seven versioned domains share. `e` is the entity, `v` a version.
-- part: entity
	e.id, e.status, e."activeVersionId", e."authorId",
%if visibility% e.visibility,
%if metadata% e.metadata,
%if tenant% e."organizationId", e."projectId",
%if favorites% coalesce(e."favoriteCount", 0) AS "favoriteCount",
	COALESCE(e."createdAtZ", e."createdAt" AT TIME ZONE 'UTC') AS "createdAt",
	COALESCE(e."updatedAtZ", e."updatedAt" AT TIME ZONE 'UTC') AS "updatedAt"
-- part: version
	v.id, v."%parent%", v."versionNumber", %snapshot: {read}%,
	v."changedFields", v."changeMessage",
	COALESCE(v."createdAtZ", v."createdAt" AT TIME ZONE 'UTC') AS "createdAt"
-- part: matching
FROM :"schema".%entities% AS e
%if favorites% LEFT JOIN :"schema".mastra_favorites AS f ON f."entityType" = '%one%' AND f."entityId" = e.id
%if favorites% 	AND f."userId" = nullif(:{pinFavoritedFor}, '')
-- part: conditions
WHERE (:{authorId} IS NULL OR e."authorId" = :{authorId})
%unless anyStatus% 	AND (coalesce(:{status}, '%status%') = '' OR e.status = coalesce(:{status}, '%status%'))
%if metadata% 	AND (:{metadata} IS NULL OR :{metadata} = '{}' OR e.metadata @> :{metadata})
%if tenant% 	AND (:{organizationId} IS NULL OR e."organizationId" = :{organizationId})
%if tenant% 	AND (:{projectId} IS NULL OR e."projectId" = :{projectId})
%if visibility% 	AND (:{visibility} IS NULL OR e.visibility = :{visibility})
%if favorites% 	AND (:{entityIds} IS NULL OR e.id = ANY (:{entityIds}))
%if favorites% 	AND (:{favoritedOnly} IS NOT TRUE OR f."userId" IS NOT NULL)
-- part: order
%if favorites% ORDER BY (f."userId" IS NOT NULL) DESC, :{order e}, e.id ASC
%unless favorites% ORDER BY :{order e}, e.id ASC
