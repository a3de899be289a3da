-- key: %parent%
-- reply: value
-- flags: read positional
SELECT count(*) FROM :"schema".%versions% AS v WHERE v."%parent%" = :{%parent%}
