/*
 * database.c - the PostgreSQL connection of the command line
 */
#include "worker/client/database.h"

#include <stdio.h>
#include <string.h>

#include "worker/config/conninfo.h"

/* libpq reports a failed connection only as text, partly in the server's language. So the texts
 * below select hints and nothing else. */
static const struct {
	const char *mark;
	const char *hint;
} hints[] = {
	{ "password authentication failed",
		"the user or the password is wrong: correct postgres.user, "
		"postgres.password or postgres.connectionString" },
	{ "no password supplied",
		"the server requires a password: set postgres.password or "
		"postgres.passwordFile" },
	{ "no pg_hba.conf entry",
		"the server's pg_hba.conf rejects this user from this address; "
		"perhaps it requires postgres.ssl = \"require\"" },
	{ "database \"",
		"create the database (createdb), or correct its name in the configuration" },
	{ "role \"", "create the role (createuser), or correct postgres.user" },
	{ "Connection refused",
		"no server listens at this address: is PostgreSQL running, are host and port "
		"correct?" },
	{ "No such file or directory",
		"no server listens on this socket: is PostgreSQL running? For "
		"TCP set postgres.host" },
	{ "could not translate host name",
		"correct the host name, or this machine's name resolution" },
	{ "server does not support SSL",
		"turn on TLS in the server, or set postgres.ssl to \"prefer\" "
		"or \"disable\" if you trust the network" },
	{ "root certificate file",
		"store the authority's certificate there, or set sslrootcert in "
		"the connection string" },
	{ "certificate verify failed",
		"the trusted authority did not sign the server's certificate: "
		"see sslrootcert" },
	{ "does not match host name", "connect with the host name of the server's certificate" },
	{ "timeout expired",
		"the server did not answer: check the address and firewalls; see "
		"postgres.connectionTimeoutMillis" },
	{ "too many clients",
		"the server has no connection left: raise its max_connections or lower "
		"postgres.max" },
	{ "remaining connection slots",
		"the server has no connection left: raise its max_connections "
		"or lower postgres.max" },
	{ "starting up", "the server is starting; try again in a moment" },
	{ "session is read-only",
		"connect to the primary, or name all hosts in the connection string; if the role "
		"or the database sets default_transaction_read_only, reset it" },
	{ "too many connections",
		"the role, the database or the pooler allows no further connection: raise its limit "
		"or lower postgres.max" },
};

void database_one_line(const char *message, char *line, size_t size)
{
	size_t used = 0;
	size_t skip = strncmp(message, "ERROR:  ", 8) == 0 ? 8 : 0;

	for (const char *at = message + skip; *at && used + 1 < size; at++) {
		bool blank = *at == '\n' || *at == '\t' || *at == '\r';

		if (blank && (used == 0 || line[used - 1] == ' '))
			continue;
		line[used++] = blank ? ' ' : *at;
	}
	while (used > 0 && line[used - 1] == ' ')
		used--;
	line[used] = '\0';
}

static void database_ignore_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

PGconn *database_connect(const struct config *config, struct database_failure *failure)
{
	PGconn *conn = config_connect(config);

	if (PQstatus(conn) == CONNECTION_OK) {
		PQsetNoticeReceiver(conn, database_ignore_notice, NULL);
		return conn;
	}
	database_one_line(PQerrorMessage(conn), failure->why, sizeof(failure->why));
	failure->hint = NULL;
	for (size_t i = 0; !failure->hint && i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strstr(failure->why, hints[i].mark))
			failure->hint = hints[i].hint;
	PQfinish(conn);
	return NULL;
}
