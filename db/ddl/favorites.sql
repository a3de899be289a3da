-- Domain favorites: users' favourite agents and skills. embed.py documents the tags.

--- table mastra_favorites
CREATE TABLE IF NOT EXISTS :"schema".mastra_favorites (
	"userId" text NOT NULL,
	"entityType" text NOT NULL,
	"entityId" text NOT NULL,
	"createdAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	PRIMARY KEY ("userId", "entityType", "entityId")
);

--- index idx_favorites_entity
CREATE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_favorites ("entityType", "entityId");
