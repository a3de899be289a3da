-- key: id
-- reply: none
-- flags: write fold positional
-- distinct: id
DELETE FROM :"schema".%versions% AS v USING given WHERE v.id = :{id}
