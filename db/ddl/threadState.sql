-- Domain threadState: state of a thread by type. embed.py documents the tags.

--- table mastra_thread_state
CREATE TABLE IF NOT EXISTS :"schema".mastra_thread_state (
	"threadId" text NOT NULL,
	type text NOT NULL,
	value jsonb NOT NULL,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now(),
	PRIMARY KEY ("threadId", type)
);
