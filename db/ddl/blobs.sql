-- Domain blobs: files of skills by their hash. embed.py documents the tags.

--- table mastra_skill_blobs
CREATE TABLE IF NOT EXISTS :"schema".mastra_skill_blobs (
	hash text NOT NULL PRIMARY KEY,
	content text NOT NULL,
	size integer NOT NULL,
	"mimeType" text,
	"createdAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now()
);
