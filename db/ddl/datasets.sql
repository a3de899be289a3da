-- Domain datasets: datasets, their items and versions. embed.py documents the tags.

--- table mastra_datasets
---   later requestContextSchema tags targetType targetIds scorerIds organizationId projectId
---   later candidateKey candidateId
CREATE TABLE IF NOT EXISTS :"schema".mastra_datasets (
	id text NOT NULL PRIMARY KEY,
	name text NOT NULL,
	description text,
	metadata jsonb,
	"inputSchema" jsonb,
	"groundTruthSchema" jsonb,
	"requestContextSchema" jsonb,
	tags jsonb,
	"targetType" text,
	"targetIds" jsonb,
	"scorerIds" jsonb,
	"organizationId" text,
	"projectId" text,
	"candidateKey" text,
	"candidateId" text,
	version integer NOT NULL,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- table mastra_dataset_items
---   later requestContext source expectedTrajectory organizationId projectId toolMocks
---   later unmockedToolPolicy scorerIds externalId
CREATE TABLE IF NOT EXISTS :"schema".mastra_dataset_items (
	id text NOT NULL,
	"datasetId" text NOT NULL,
	"datasetVersion" integer NOT NULL,
	"externalId" text,
	"organizationId" text,
	"projectId" text,
	"validTo" integer,
	"isDeleted" boolean NOT NULL,
	input jsonb NOT NULL,
	"groundTruth" jsonb,
	"requestContext" jsonb,
	metadata jsonb,
	source jsonb,
	"expectedTrajectory" jsonb,
	"toolMocks" jsonb,
	"unmockedToolPolicy" text,
	"scorerIds" jsonb,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now(),
	PRIMARY KEY (id, "datasetVersion")
);

--- table mastra_dataset_versions
CREATE TABLE IF NOT EXISTS :"schema".mastra_dataset_versions (
	id text NOT NULL PRIMARY KEY,
	"datasetId" text NOT NULL,
	version integer NOT NULL,
	"createdAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now()
);

--- index idx_dataset_items_dataset_validto default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_dataset_items ("datasetId", "validTo");

--- index idx_dataset_items_dataset_version default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_dataset_items ("datasetId", "datasetVersion");

--- index idx_dataset_items_external_id_history default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_dataset_items ("datasetId", "externalId", "datasetVersion");

--- index idx_dataset_items_dataset_validto_deleted default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_dataset_items ("datasetId", "validTo", "isDeleted");

--- index idx_dataset_versions_dataset_version default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_dataset_versions ("datasetId", version);

--- index idx_dataset_versions_dataset_version_unique default
CREATE UNIQUE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_dataset_versions ("datasetId", version);

--- index idx_datasets_org_project default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_datasets ("organizationId", "projectId");

--- index idx_datasets_candidate default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_datasets ("candidateKey", "candidateId");

--- index idx_dataset_items_org_project default
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_dataset_items ("organizationId", "projectId");
