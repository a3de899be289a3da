/* check_query.c - asks what a worker asks before it runs a client's own statement */
#include "worker/cli/check_query.h"

#include <string.h>

#include "handlers/domains/command_table.h"

#define GUARD "storage.query:guard" /* of handlers/domains/storage/query.sql */

static const char *guard_sql(void)
{
	for (size_t i = 0; i < statement_count; i++)
		if (strcmp(statement_defs[i].name, GUARD) == 0)
			return statement_defs[i].sql;
	return "";
}

static void check_query_role(struct check *check, PGconn *conn, const char *role)
{
	const char *params[] = { role, "{}", check->config->postgres.schema_name };
	PGresult *result = PQexecParams(conn, guard_sql(), 3, NULL, params, NULL, NULL, 0);
	int fault = PQfnumber(result, "fault");

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
		check_failed(check, EXIT_DATABASE, "query", NULL, "%s",
			PQresultErrorMessage(result));
	else if (!PQgetisnull(result, 0, fault))
		check_failed(check, EXIT_DATABASE, "query",
			"worker/README.md, \"SQL of clients\", has the GRANTs",
			"storage.queryRole \"%s\" %s: the worker refuses clients' statements", role,
			PQgetvalue(result, 0, fault));
	else
		check_ok(check, "query", "clients' statements run as %s", role);
	PQclear(result);
}

void check_query(struct check *check, PGconn *conn)
{
	const char *role = check->config->storage.query_role;

	if (check->config->storage.query == CONFIG_QUERY_OFF)
		return;
	if (role)
		check_query_role(check, conn, role);
	else
		check_failed(check, EXIT_CONFIG, "query",
			"set storage.queryRole to a role that has no right on stowage_*",
			"storage.query is \"read\" without storage.queryRole: the worker refuses "
			"clients' statements");
}
