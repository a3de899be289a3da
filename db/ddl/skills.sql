-- Domain skills: skills and their versions. embed.py documents the tags.

--- table mastra_skills
---   later visibility favoriteCount
CREATE TABLE IF NOT EXISTS :"schema".mastra_skills (
	id text NOT NULL PRIMARY KEY,
	status text NOT NULL,
	"activeVersionId" text,
	"authorId" text,
	visibility text,
	"favoriteCount" integer,
	"createdAt" timestamp NOT NULL,
	"updatedAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now(),
	"updatedAtZ" timestamptz DEFAULT now()
);

--- table mastra_skill_versions
---   later files
CREATE TABLE IF NOT EXISTS :"schema".mastra_skill_versions (
	id text NOT NULL PRIMARY KEY,
	"skillId" text NOT NULL,
	"versionNumber" integer NOT NULL,
	name text NOT NULL,
	description text NOT NULL,
	instructions text NOT NULL,
	license text,
	compatibility jsonb,
	source jsonb,
	"references" jsonb,
	scripts jsonb,
	assets jsonb,
	files jsonb,
	metadata jsonb,
	tree jsonb,
	"changedFields" jsonb,
	"changeMessage" text,
	"createdAt" timestamp NOT NULL,
	"createdAtZ" timestamptz DEFAULT now()
);

--- index idx_skill_versions_skill_version default prefixed
CREATE UNIQUE INDEX :concurrently IF NOT EXISTS :"name"
	ON :"schema".mastra_skill_versions ("skillId", "versionNumber");
