-- reply: custom
-- flags: read
-- handler: storage_ping
-- Queries the database, so that a reply proves that both worker and database work.
SELECT statement_timestamp() AS time
