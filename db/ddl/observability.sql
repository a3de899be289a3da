-- Domain observability: spans. embed.py documents the tags.

--- table mastra_ai_spans
---   later *
CREATE TABLE IF NOT EXISTS :"schema".mastra_ai_spans (
	"traceId" text NOT NULL,
	"spanId" text NOT NULL,
	name text NOT NULL,
	"spanType" text NOT NULL,
	"isEvent" boolean NOT NULL,
	"startedAt" timestamp NOT NULL,
	"parentSpanId" text,
	"entityType" text,
	"entityId" text,
	"entityName" text,
	"parentEntityType" text,
	"parentEntityId" text,
	"parentEntityName" text,
	"rootEntityType" text,
	"rootEntityId" text,
	"rootEntityName" text,
	"userId" text,
	"organizationId" text,
	"resourceId" text,
	"runId" text,
	"sessionId" text,
	"threadId" text,
	"requestId" text,
	environment text,
	"serviceName" text,
	scope jsonb,
	"entityVersionId" text,
	"parentEntityVersionId" text,
	"rootEntityVersionId" text,
	"experimentId" text,
	source text,
	metadata jsonb,
	tags jsonb,
	attributes jsonb,
	links jsonb,
	input jsonb,
	output jsonb,
	error jsonb,
	"endedAt" timestamp,
	"requestContext" jsonb,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp,
	"startedAtZ" timestamptz DEFAULT now(),
	"endedAtZ" timestamptz DEFAULT now(),
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

-- The reference compares this body as text and replaces it, so this is the reference's text to the letter.
--- function trigger_set_timestamps
CREATE OR REPLACE FUNCTION :"schema".trigger_set_timestamps() RETURNS trigger AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW."createdAt" = NOW();
        NEW."updatedAt" = NOW();
        NEW."createdAtZ" = NOW();
        NEW."updatedAtZ" = NOW();
    ELSIF TG_OP = 'UPDATE' THEN
        NEW."updatedAt" = NOW();
        NEW."updatedAtZ" = NOW();
        NEW."createdAt" = OLD."createdAt";
        NEW."createdAtZ" = OLD."createdAtZ";
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

--- trigger mastra_ai_spans_timestamps on mastra_ai_spans
---   calls trigger_set_timestamps
DROP TRIGGER IF EXISTS mastra_ai_spans_timestamps ON :"schema".mastra_ai_spans;
CREATE TRIGGER mastra_ai_spans_timestamps BEFORE INSERT OR UPDATE ON :"schema".mastra_ai_spans
	FOR EACH ROW EXECUTE FUNCTION :"schema".trigger_set_timestamps();

-- A table without the key may hold several rows of a span. Keeps one: a finished row, if there is any; of
-- these the one that was updated last, then created last, then stored last.
--- before mastra_ai_spans_traceid_spanid_pk on mastra_ai_spans
LOCK TABLE :"schema".mastra_ai_spans IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM :"schema".mastra_ai_spans AS span USING (
	SELECT ctid, row_number() OVER (PARTITION BY "traceId", "spanId" ORDER BY
		("endedAt" IS NOT NULL) DESC, "updatedAt" DESC NULLS LAST,
		"createdAt" DESC NULLS LAST, ctid DESC) AS place
	FROM :"schema".mastra_ai_spans) AS ranked
WHERE span.ctid = ranked.ctid AND ranked.place > 1;

--- primary mastra_ai_spans_traceid_spanid_pk on mastra_ai_spans
ALTER TABLE :"schema".mastra_ai_spans
	ADD CONSTRAINT :"name" PRIMARY KEY ("traceId", "spanId");

--- index mastra_ai_spans_traceid_startedat_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_ai_spans ("traceId", "startedAt" DESC);

--- index mastra_ai_spans_parentspanid_startedat_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_ai_spans ("parentSpanId", "startedAt" DESC);

--- index mastra_ai_spans_name_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_ai_spans (name);

--- index mastra_ai_spans_spantype_startedat_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_ai_spans ("spanType", "startedAt" DESC);

--- index mastra_ai_spans_root_spans_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_ai_spans ("startedAt" DESC) WHERE "parentSpanId" IS NULL;

--- index mastra_ai_spans_entitytype_entityid_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_ai_spans ("entityType", "entityId");

--- index mastra_ai_spans_entitytype_entityname_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_ai_spans ("entityType", "entityName");

--- index mastra_ai_spans_orgid_userid_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_ai_spans ("organizationId", "userId");

--- index mastra_ai_spans_metadata_gin_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_ai_spans USING gin (metadata);

--- index mastra_ai_spans_tags_gin_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_ai_spans USING gin (tags);
