-- Domain knowledge: nodes and records, their mentions, cursors, activity and semantic outbox.
-- embed.py documents the tags.

--- table mastra_knowledge_nodes
---   later description
CREATE TABLE IF NOT EXISTS :"schema".mastra_knowledge_nodes (
	id text NOT NULL PRIMARY KEY,
	type text NOT NULL,
	name text NOT NULL,
	"canonicalName" text NOT NULL,
	kind text,
	content text,
	description text,
	scope jsonb NOT NULL,
	"scopeKey" text NOT NULL,
	version integer NOT NULL,
	"mergedInto" text,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- table mastra_knowledge_records
CREATE TABLE IF NOT EXISTS :"schema".mastra_knowledge_records (
	id text NOT NULL PRIMARY KEY,
	node text NOT NULL,
	text text NOT NULL,
	scope jsonb NOT NULL,
	"scopeKey" text NOT NULL,
	"sourceThreadId" text NOT NULL,
	"capturedAt" timestamp NOT NULL,
	"when" timestamp,
	"maxScope" text,
	metadata jsonb,
	"deletedAt" timestamp,
	"deletedBy" text,
	"capturedAtZ" timestamptz DEFAULT now(),
	"whenZ" timestamptz DEFAULT now(),
	"deletedAtZ" timestamptz DEFAULT now()
);

--- table mastra_knowledge_mentions
CREATE TABLE IF NOT EXISTS :"schema".mastra_knowledge_mentions (
	"sourceType" text NOT NULL,
	"sourceId" text NOT NULL,
	"recordId" text NOT NULL,
	PRIMARY KEY ("sourceType", "sourceId", "recordId")
);

--- table mastra_knowledge_cursors
CREATE TABLE IF NOT EXISTS :"schema".mastra_knowledge_cursors (
	"sourceThreadId" text NOT NULL,
	agent text NOT NULL,
	"lastKnowledgeId" text NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"updatedAtZ" timestamptz DEFAULT now(),
	PRIMARY KEY ("sourceThreadId", agent)
);

--- table mastra_knowledge_activity
CREATE TABLE IF NOT EXISTS :"schema".mastra_knowledge_activity (
	id text NOT NULL PRIMARY KEY,
	action text NOT NULL,
	"recordType" text NOT NULL,
	"recordId" text NOT NULL,
	scope jsonb NOT NULL,
	"scopeKey" text NOT NULL,
	"sourceThreadId" text,
	"createdAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now()
);

--- table mastra_knowledge_semantic_outbox
CREATE TABLE IF NOT EXISTS :"schema".mastra_knowledge_semantic_outbox (
	id text NOT NULL PRIMARY KEY,
	"idempotencyKey" text NOT NULL,
	"documentId" text NOT NULL,
	"documentType" text NOT NULL,
	operation text NOT NULL,
	scope jsonb NOT NULL,
	"scopeKey" text NOT NULL,
	status text NOT NULL,
	attempts integer NOT NULL,
	"availableAt" timestamp NOT NULL,
	"claimedAt" timestamp,
	"claimedBy" text,
	"createdAt" timestamp NOT NULL,
	"completedAt" timestamp,
	"availableAtZ" timestamptz DEFAULT now(),
	"claimedAtZ" timestamptz DEFAULT now(),
	"createdAtZ" timestamptz DEFAULT now(),
	"completedAtZ" timestamptz DEFAULT now()
);

--- index idx_knowledge_nodes_identity
CREATE UNIQUE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_knowledge_nodes (type, "scopeKey", "canonicalName");

--- index idx_knowledge_nodes_scope
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_knowledge_nodes ("scopeKey", type);

--- index idx_knowledge_records_node_latest
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_knowledge_records (node, id DESC);

--- index idx_knowledge_records_thread_latest
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_knowledge_records ("sourceThreadId", id DESC);

--- index idx_knowledge_mentions_record
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_knowledge_mentions ("recordId", "sourceType", "sourceId");

--- index idx_knowledge_activity_latest
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_knowledge_activity (id DESC);

--- index idx_knowledge_outbox_idempotency
CREATE UNIQUE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_knowledge_semantic_outbox ("idempotencyKey");

--- index idx_knowledge_outbox_claim
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_knowledge_semantic_outbox (status, "availableAt", "createdAt");
