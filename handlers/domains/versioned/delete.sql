-- key: id
-- reply: none
-- flags: write fold positional
-- distinct: id
-- The versions, then the entity. Favorites of it stay.
WITH versions AS (
	DELETE FROM :"schema".%versions% AS v USING given WHERE v."%parent%" = :{id}
)
DELETE FROM :"schema".%entities% AS e USING given WHERE e.id = :{id}
