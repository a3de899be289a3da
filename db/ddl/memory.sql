-- Domain memory: threads, messages, resources, observational memory. embed.py documents the tags.

--- table mastra_threads
CREATE TABLE IF NOT EXISTS :"schema".mastra_threads (
	id text NOT NULL PRIMARY KEY,
	"resourceId" text NOT NULL,
	title text NOT NULL,
	metadata jsonb,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- table mastra_messages
---   later resourceId
CREATE TABLE IF NOT EXISTS :"schema".mastra_messages (
	id text NOT NULL PRIMARY KEY,
	thread_id text NOT NULL,
	content text NOT NULL,
	role text NOT NULL,
	type text NOT NULL,
	"createdAt" timestamp NOT NULL,
	"resourceId" text,
	"createdAtZ" timestamptz DEFAULT now()
);

--- table mastra_resources
CREATE TABLE IF NOT EXISTS :"schema".mastra_resources (
	id text NOT NULL PRIMARY KEY,
	"workingMemory" text,
	metadata jsonb,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- table mastra_observational_memory
---   later observedMessageIds observedTimezone bufferedObservations bufferedObservationTokens
---   later bufferedMessageIds bufferedReflection bufferedReflectionTokens
---   later bufferedReflectionInputTokens reflectedObservationLineCount
---   later bufferedObservationChunks isBufferingObservation isBufferingReflection
---   later lastBufferedAtTokens lastBufferedAtTime metadata
CREATE TABLE IF NOT EXISTS :"schema".mastra_observational_memory (
	id text NOT NULL PRIMARY KEY,
	"lookupKey" text NOT NULL,
	scope text NOT NULL,
	"resourceId" text,
	"threadId" text,
	"activeObservations" text NOT NULL,
	"activeObservationsPendingUpdate" text,
	"originType" text NOT NULL,
	config text NOT NULL,
	"generationCount" integer NOT NULL,
	"lastObservedAt" timestamp,
	"lastReflectionAt" timestamp,
	"pendingMessageTokens" integer NOT NULL,
	"totalTokensObserved" integer NOT NULL,
	"observationTokenCount" integer NOT NULL,
	"isObserving" boolean NOT NULL,
	"isReflecting" boolean NOT NULL,
	"observedMessageIds" jsonb,
	"observedTimezone" text,
	"bufferedObservations" text,
	"bufferedObservationTokens" integer,
	"bufferedMessageIds" jsonb,
	"bufferedReflection" text,
	"bufferedReflectionTokens" integer,
	"bufferedReflectionInputTokens" integer,
	"reflectedObservationLineCount" integer,
	"bufferedObservationChunks" jsonb,
	"isBufferingObservation" boolean NOT NULL,
	"isBufferingReflection" boolean NOT NULL,
	"lastBufferedAtTokens" integer NOT NULL,
	"lastBufferedAtTime" timestamp,
	metadata jsonb,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"lastObservedAtZ" timestamptz DEFAULT now(),
	"lastReflectionAtZ" timestamptz DEFAULT now(),
	"lastBufferedAtTimeZ" timestamptz DEFAULT now(),
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- index idx_om_lookup_key
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_observational_memory ("lookupKey");

--- index mastra_threads_resourceid_createdat_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_threads ("resourceId", "createdAt" DESC);

--- index mastra_messages_thread_id_createdat_idx default prefixed
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_messages (thread_id, "createdAt" DESC);
