/*
 * check_database.c - checks the connection, TLS, the server, pgvector and the tables
 */
#include "worker/cli/check_database.h"

#include <stdlib.h>
#include <string.h>

#include "db/migrate/migrate.h"
#include "schemas/base/alloc.h"
#include "worker/cli/check_query.h"
#include "worker/cli/check_statements.h"
#include "worker/cli/check_tables.h"
#include "worker/cli/check_tls.h"
#include "worker/client/database.h"
#include "worker/config/ddl_options.h"

#define SERVER_MINIMUM 140000
#define SERVER_MINIMUM_NAME "14"

static void check_database_check_server(struct check *check, PGconn *conn)
{
	const char *version = PQparameterStatus(conn, "server_version");
	const char *encoding = PQparameterStatus(conn, "server_encoding");
	const char *standby = PQparameterStatus(conn, "in_hot_standby");

	if (PQserverVersion(conn) < SERVER_MINIMUM)
		check_failed(check, EXIT_DATABASE, "server", "upgrade PostgreSQL",
			"version %s is older than " SERVER_MINIMUM_NAME, version);
	else
		check_ok(check, "server", "PostgreSQL %s", version);
	if (!encoding || strcmp(encoding, "UTF8") != 0)
		check_failed(check, EXIT_DATABASE, "encoding",
			"create the database with ENCODING 'UTF8'",
			"the encoding of the database is %s, not UTF8", encoding ? encoding : "?");
	if (standby && strcmp(standby, "on") == 0)
		check_failed(check, EXIT_DATABASE, "primary",
			"connect to the primary, or name all hosts and "
			"add target_session_attrs=read-write to the connection string",
			"this server is a standby, which rejects writes");
}

/* Only the vector commands need pgvector. */
static void check_pgvector(struct check *check, PGconn *conn)
{
	PGresult *result = PQexec(conn,
		"SELECT installed_version, default_version "
		"FROM pg_catalog.pg_available_extensions WHERE name = 'vector'");

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) == 0)
		check_note(check, "pgvector", "only vector commands need it",
			"not installed on the server");
	else if (PQgetisnull(result, 0, 0))
		check_note(check, "pgvector",
			"only vector commands need it: CREATE EXTENSION vector",
			"version %s is installed on the server, but not in this database",
			PQgetvalue(result, 0, 1));
	else
		check_ok(check, "pgvector", "version %s", PQgetvalue(result, 0, 0));
	PQclear(result);
}

static void print_problems(struct check *check, const struct migrate_problems *problems)
{
	const char *schema = check->config->postgres.schema_name;

	for (size_t i = 0; i < problems->count; i++) {
		if (problems->items[i].severe || problems->items[i].fails)
			check_failed(check, EXIT_DATABASE, "tables", NULL, "%s",
				problems->items[i].text);
		else
			check_note(check, "tables", NULL, "%s", problems->items[i].text);
	}
	if (problems->severe_count == 0)
		check_ok(check, "tables", "schema %s has everything that the worker needs", schema);
}

/* Returns true if the statements can be checked. */
static bool check_database_check_tables(struct check *check, PGconn *conn)
{
	struct ddl_index *indexes = alloc_zero(check->config->postgres.index_count,
		sizeof(*indexes));
	struct ddl_options options = config_ddl_options(check->config, NULL, indexes);
	struct migrate_problems problems;
	char error[DATABASE_ERROR_MAX];
	bool good = false;

	if (migrate_check(conn, &options, &problems, error, sizeof(error))) {
		print_problems(check, &problems);
		good = problems.severe_count == 0;
		migrate_problems_free(&problems);
	} else {
		check_failed(check, EXIT_DATABASE, "tables", NULL, "%s", error);
	}
	free(indexes);
	return good;
}

void check_database(struct check *check)
{
	struct database_failure failure;
	PGconn *conn = database_connect(check->config, &failure);
	enum pooler pooler;

	if (!conn) {
		check_failed(check, EXIT_DATABASE, "database", failure.hint, "%s", failure.why);
		return;
	}
	check_ok(check, "database", "%s at %s:%s as %s", PQdb(conn), PQhost(conn), PQport(conn),
		PQuser(conn));
	check_tls(check, conn);
	check_database_check_server(check, conn);
	check_pgvector(check, conn);
	check_tables(check, conn);
	pooler = check_pooler(check, conn);
	if (check_database_check_tables(check, conn))
		check_statements(check, conn, pooler);
	else
		check_note(check, "statements", NULL, "not checked, because they need the tables");
	check_query(check, conn);
	PQfinish(conn);
}
