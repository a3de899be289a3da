-- key: %parent%
-- reply: none
-- flags: write fold positional
-- distinct: %parent%
DELETE FROM :"schema".%versions% AS v USING given WHERE v."%parent%" = :{%parent%}
