-- reply: none
-- flags: write named clear
-- All rows of the domain. TRUNCATE is a part of the batch's transaction: commands before it and behind it act in
-- their order.
TRUNCATE %tables% CASCADE
