/* check_tables.c - what others did to Stowage's tables that makes the server refuse its commands */
#include "worker/cli/check_tables.h"

#include <string.h>

#include "db/ddl/ddl_source.h"

/* $1 is the schema. A query that fails has no rows: check_statements reports what is wrong. */
static PGresult *ask(const struct check *check, PGconn *conn, const char *sql)
{
	const char *schema = check->config->postgres.schema_name;
	return PQexecParams(conn, sql, 1, NULL, &schema, NULL, NULL, 0);
}

/* PostgreSQL refuses to update or delete rows of a published table that it cannot name to the
 * subscribers. Composed statements are not among those that check_statements plans. */
static void check_publications(struct check *check, PGconn *conn)
{
	PGresult *result = ask(check, conn,
		"SELECT c.relname, string_agg(p.pubname, ', ') FROM pg_catalog.pg_class c "
		"JOIN pg_catalog.pg_publication_tables t "
		"ON t.schemaname = $1 AND t.tablename = c.relname "
		"JOIN pg_catalog.pg_publication p ON p.pubname = t.pubname "
		"LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND "
		"CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END "
		"WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) "
		"AND c.relname ~ '^(mastra|stowage)_' AND (p.pubupdate OR p.pubdelete) "
		"AND c.relreplident <> 'f' AND (c.relreplident = 'n' OR i.indexrelid IS NULL) "
		"GROUP BY c.relname ORDER BY c.relname");

	for (int i = 0; i < PQntuples(result); i++)
		check_failed(check, EXIT_DATABASE, "publication",
			"ALTER TABLE ... REPLICA IDENTITY FULL (or USING INDEX), or leave the table "
			"out of the publication",
			"%s is in the publication %s without a replica identity: the server "
			"refuses updates and deletes",
			PQgetvalue(result, i, 0), PQgetvalue(result, i, 1));
	PQclear(result);
}

/* Columns that make the server refuse rows: somebody added them without a default, or made ours generated. */
static void check_refusing_columns(struct check *check, PGconn *conn)
{
	PGresult *result = ask(check, conn,
		"SELECT c.relname, a.attname, a.attgenerated <> '' OR a.attidentity = 'a' "
		"FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
		"WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) "
		"AND c.relkind IN ('r', 'p') AND c.relname ~ '^mastra_' "
		"AND a.attnum > 0 AND NOT a.attisdropped AND (a.attgenerated <> '' "
		"OR a.attidentity = 'a' OR (a.attnotnull AND NOT a.atthasdef AND a.attidentity = '')) "
		"ORDER BY c.relname, a.attnum");

	for (int i = 0; i < PQntuples(result); i++) {
		const char *table = PQgetvalue(result, i, 0), *column = PQgetvalue(result, i, 1);
		bool generated = *PQgetvalue(result, i, 2) == 't';
		enum ddl_known known = ddl_column_known(table, column);
		if (known == DDL_ADDED && !generated)
			check_failed(check, EXIT_DATABASE, "columns",
				"give it a default, or let it be NULL",
				"column \"%s\" of %s is not Stowage's, and is NOT NULL without a default: "
				"the server refuses each new row",
				column, table);
		else if (known == DDL_OURS && generated)
			check_failed(check, EXIT_DATABASE, "columns",
				"make it an ordinary column again",
				"column \"%s\" of %s is generated: the server refuses rows that set it",
				column, table);
	}
	PQclear(result);
}

static void check_partitions(struct check *check, PGconn *conn)
{
	PGresult *result = ask(check, conn,
		"SELECT c.relname, "
		"EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid) "
		"FROM pg_catalog.pg_class c "
		"JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = c.oid "
		"WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) "
		"AND c.relname ~ '^mastra_' AND p.partdefid = 0 ORDER BY c.relname");

	for (int i = 0; i < PQntuples(result); i++) {
		const char *table = PQgetvalue(result, i, 0);
		if (*PQgetvalue(result, i, 1) == 't')
			check_note(check, "partitions",
				"create a default partition, or make sure that each row has a partition",
				"%s is partitioned without a default partition: the server refuses "
				"rows that fit no partition",
				table);
		else
			check_failed(check, EXIT_DATABASE, "partitions",
				"create a default partition, or one for each row",
				"%s is partitioned and has no partition: the server refuses each row",
				table);
	}
	PQclear(result);
}

/* PostgreSQL 17 and later have it. */
static void check_transaction_timeout(struct check *check, PGconn *conn)
{
	PGresult *result = ask(check, conn,
		"SELECT pg_catalog.current_setting('transaction_timeout', true) "
		"WHERE $1::text IS NOT NULL "
		"AND pg_catalog.current_setting('transaction_timeout', true) <> '0'");

	if (PQntuples(result) == 1)
		check_note(check, "transaction_timeout",
			"ALTER ROLE ... SET transaction_timeout = 0: the worker has limits of its own",
			"it is %s: the server ends the session of a batch that takes longer",
			PQgetvalue(result, 0, 0));
	PQclear(result);
}

void check_tables(struct check *check, PGconn *conn)
{
	check_publications(check, conn);
	check_refusing_columns(check, conn);
	check_partitions(check, conn);
	check_transaction_timeout(check, conn);
}
