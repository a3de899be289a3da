-- reply: custom
-- flags: read
-- handler: storage_ping
-- Goes to the database so that a reply proves that both ends work.
SELECT statement_timestamp() AS time
