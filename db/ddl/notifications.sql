-- Domain notifications: the inbox of agents. embed.py documents the tags.

--- table mastra_notifications
CREATE TABLE IF NOT EXISTS :"schema".mastra_notifications (
	id text NOT NULL,
	"threadId" text NOT NULL,
	source text NOT NULL,
	kind text NOT NULL,
	priority text NOT NULL,
	status text NOT NULL,
	summary text NOT NULL,
	payload jsonb,
	"resourceId" text,
	"agentId" text,
	"sourceId" text,
	"dedupeKey" text,
	"coalesceKey" text,
	"coalescedCount" integer NOT NULL,
	attributes jsonb,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"deliveredAt" timestamp,
	"seenAt" timestamp,
	"dismissedAt" timestamp,
	"archivedAt" timestamp,
	"discardedAt" timestamp,
	"deliverAt" timestamp,
	"summaryAt" timestamp,
	"deliveryReason" text,
	"deliveryAttempts" integer NOT NULL,
	"lastDeliveryAttemptAt" timestamp,
	"lastDeliveryError" text,
	"deliveredSignalId" text,
	"summarySignalId" text,
	metadata jsonb,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now(),
	"deliveredAtZ" timestamptz DEFAULT now(),
	"seenAtZ" timestamptz DEFAULT now(),
	"dismissedAtZ" timestamptz DEFAULT now(),
	"archivedAtZ" timestamptz DEFAULT now(),
	"discardedAtZ" timestamptz DEFAULT now(),
	"deliverAtZ" timestamptz DEFAULT now(),
	"summaryAtZ" timestamptz DEFAULT now(),
	"lastDeliveryAttemptAtZ" timestamptz DEFAULT now()
);

--- index idx_notifications_thread_status_updated default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_notifications ("threadId", status, "updatedAt");

--- index idx_notifications_coalescing default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_notifications ("threadId", source, kind, status, "agentId",
	"resourceId", "dedupeKey", "coalesceKey");

--- index idx_notifications_due default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_notifications (status, "deliverAt", "summaryAt");
