-- reply: none
-- flags: write named clear
-- The agents and skills stay, so their counters must agree with what is left.
WITH gone AS (
	DELETE FROM :"schema".mastra_favorites
), agents AS (
	UPDATE :"schema".mastra_agents SET "favoriteCount" = 0 WHERE "favoriteCount" > 0
)
UPDATE :"schema".mastra_skills SET "favoriteCount" = 0 WHERE "favoriteCount" > 0
