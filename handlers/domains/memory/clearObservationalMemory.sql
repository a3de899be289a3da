-- key: resourceId
-- reply: none
-- flags: write positional
-- params: threadId, resourceId
DELETE FROM :"schema".mastra_observational_memory
WHERE "lookupKey" = CASE WHEN $1::text <> '' THEN 'thread:' || $1::text ELSE 'resource:' || $2::text END
