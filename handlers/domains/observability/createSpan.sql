-- key: span.traceId
-- reply: none
-- flags: write fold
-- fold: spans
-- handler: observability_write_spans
-- codes: INVALID_CLEAR
-- statement: upsert
-- Inserts one row per span, with distinct and sorted keys. $1 to $42 are the columns; a column
-- without any value in these rows is an empty array. A span that exists keeps the columns that are
-- not given: $43 tells for each column whether a null keeps the stored value or replaces it. The end
-- of a span always counts as given. As a target, unnest produces the rows one by one; in FROM it
-- would first store all of them.
INSERT INTO :"schema".mastra_ai_spans AS span (
	"traceId", "spanId", name, "spanType", "isEvent", "startedAt", "parentSpanId", "entityType",
	"entityId", "entityName", "parentEntityType", "parentEntityId", "parentEntityName",
	"rootEntityType", "rootEntityId", "rootEntityName", "userId", "organizationId", "resourceId",
	"runId", "sessionId", "threadId", "requestId", environment, "serviceName", scope,
	"entityVersionId", "parentEntityVersionId", "rootEntityVersionId", "experimentId", source,
	metadata, tags, attributes, links, input, output, error, "endedAt", "requestContext",
	"startedAtZ", "endedAtZ")
SELECT
	unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]),
	unnest($5::bool[]), unnest($6::timestamp[]), unnest($7::text[]), unnest($8::text[]),
	unnest($9::text[]), unnest($10::text[]), unnest($11::text[]), unnest($12::text[]),
	unnest($13::text[]), unnest($14::text[]), unnest($15::text[]), unnest($16::text[]),
	unnest($17::text[]), unnest($18::text[]), unnest($19::text[]), unnest($20::text[]),
	unnest($21::text[]), unnest($22::text[]), unnest($23::text[]), unnest($24::text[]),
	unnest($25::text[]), unnest($26::jsonb[]), unnest($27::text[]), unnest($28::text[]),
	unnest($29::text[]), unnest($30::text[]), unnest($31::text[]), unnest($32::jsonb[]),
	unnest($33::jsonb[]), unnest($34::jsonb[]), unnest($35::jsonb[]), unnest($36::jsonb[]),
	unnest($37::jsonb[]), unnest($38::jsonb[]), unnest($39::timestamp[]), unnest($40::jsonb[]),
	unnest($41::timestamptz[]), unnest($42::timestamptz[])
ON CONFLICT ("traceId", "spanId") DO UPDATE SET
	name = EXCLUDED.name,
	"spanType" = EXCLUDED."spanType",
	"isEvent" = EXCLUDED."isEvent",
	"startedAt" = EXCLUDED."startedAt",
	"parentSpanId" = COALESCE(EXCLUDED."parentSpanId",
		CASE WHEN ($43::bool[])[7] THEN span."parentSpanId" END),
	"entityType" = COALESCE(EXCLUDED."entityType",
		CASE WHEN ($43::bool[])[8] THEN span."entityType" END),
	"entityId" = COALESCE(EXCLUDED."entityId", CASE WHEN ($43::bool[])[9] THEN span."entityId" END),
	"entityName" = COALESCE(EXCLUDED."entityName",
		CASE WHEN ($43::bool[])[10] THEN span."entityName" END),
	"parentEntityType" = COALESCE(EXCLUDED."parentEntityType",
		CASE WHEN ($43::bool[])[11] THEN span."parentEntityType" END),
	"parentEntityId" = COALESCE(EXCLUDED."parentEntityId",
		CASE WHEN ($43::bool[])[12] THEN span."parentEntityId" END),
	"parentEntityName" = COALESCE(EXCLUDED."parentEntityName",
		CASE WHEN ($43::bool[])[13] THEN span."parentEntityName" END),
	"rootEntityType" = COALESCE(EXCLUDED."rootEntityType",
		CASE WHEN ($43::bool[])[14] THEN span."rootEntityType" END),
	"rootEntityId" = COALESCE(EXCLUDED."rootEntityId",
		CASE WHEN ($43::bool[])[15] THEN span."rootEntityId" END),
	"rootEntityName" = COALESCE(EXCLUDED."rootEntityName",
		CASE WHEN ($43::bool[])[16] THEN span."rootEntityName" END),
	"userId" = COALESCE(EXCLUDED."userId", CASE WHEN ($43::bool[])[17] THEN span."userId" END),
	"organizationId" = COALESCE(EXCLUDED."organizationId",
		CASE WHEN ($43::bool[])[18] THEN span."organizationId" END),
	"resourceId" = COALESCE(EXCLUDED."resourceId",
		CASE WHEN ($43::bool[])[19] THEN span."resourceId" END),
	"runId" = COALESCE(EXCLUDED."runId", CASE WHEN ($43::bool[])[20] THEN span."runId" END),
	"sessionId" = COALESCE(EXCLUDED."sessionId",
		CASE WHEN ($43::bool[])[21] THEN span."sessionId" END),
	"threadId" = COALESCE(EXCLUDED."threadId", CASE WHEN ($43::bool[])[22] THEN span."threadId" END),
	"requestId" = COALESCE(EXCLUDED."requestId",
		CASE WHEN ($43::bool[])[23] THEN span."requestId" END),
	environment = COALESCE(EXCLUDED.environment,
		CASE WHEN ($43::bool[])[24] THEN span.environment END),
	"serviceName" = COALESCE(EXCLUDED."serviceName",
		CASE WHEN ($43::bool[])[25] THEN span."serviceName" END),
	scope = COALESCE(EXCLUDED.scope, CASE WHEN ($43::bool[])[26] THEN span.scope END),
	"entityVersionId" = COALESCE(EXCLUDED."entityVersionId",
		CASE WHEN ($43::bool[])[27] THEN span."entityVersionId" END),
	"parentEntityVersionId" = COALESCE(EXCLUDED."parentEntityVersionId",
		CASE WHEN ($43::bool[])[28] THEN span."parentEntityVersionId" END),
	"rootEntityVersionId" = COALESCE(EXCLUDED."rootEntityVersionId",
		CASE WHEN ($43::bool[])[29] THEN span."rootEntityVersionId" END),
	"experimentId" = COALESCE(EXCLUDED."experimentId",
		CASE WHEN ($43::bool[])[30] THEN span."experimentId" END),
	source = COALESCE(EXCLUDED.source, CASE WHEN ($43::bool[])[31] THEN span.source END),
	metadata = COALESCE(EXCLUDED.metadata, CASE WHEN ($43::bool[])[32] THEN span.metadata END),
	tags = COALESCE(EXCLUDED.tags, CASE WHEN ($43::bool[])[33] THEN span.tags END),
	attributes = COALESCE(EXCLUDED.attributes, CASE WHEN ($43::bool[])[34] THEN span.attributes END),
	links = COALESCE(EXCLUDED.links, CASE WHEN ($43::bool[])[35] THEN span.links END),
	input = COALESCE(EXCLUDED.input, CASE WHEN ($43::bool[])[36] THEN span.input END),
	output = COALESCE(EXCLUDED.output, CASE WHEN ($43::bool[])[37] THEN span.output END),
	error = COALESCE(EXCLUDED.error, CASE WHEN ($43::bool[])[38] THEN span.error END),
	"endedAt" = EXCLUDED."endedAt",
	"requestContext" = COALESCE(EXCLUDED."requestContext",
		CASE WHEN ($43::bool[])[40] THEN span."requestContext" END),
	"startedAtZ" = EXCLUDED."startedAtZ",
	"endedAtZ" = EXCLUDED."endedAtZ"
