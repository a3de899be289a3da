/*
 * database.c - the command line's own connection to PostgreSQL
 */
#include "worker/client/database.h"

#include <stdio.h>
#include <string.h>

#include "worker/config/conninfo.h"

/* The text is all that libpq gives of a failed connect, and the server's part of it may be in
 * the server's language: these only add the way out, nothing is decided by them. */
static const struct {
	const char *mark;
	const char *hint;
} hints[] = {
	{ "password authentication failed",
		"the user or the password is wrong: postgres.user, "
		"postgres.password, postgres.connectionString" },
	{ "no password supplied",
		"the server asks for a password: set postgres.password or "
		"postgres.passwordFile" },
	{ "no pg_hba.conf entry",
		"the server does not let this user in from this address: its "
		"pg_hba.conf decides; postgres.ssl = \"require\" may be what it asks for" },
	{ "database \"", "make the database (createdb), or correct its name in the configuration" },
	{ "role \"", "make the role (createuser), or correct postgres.user" },
	{ "Connection refused",
		"no server listens there: is PostgreSQL running, are host and port "
		"right?" },
	{ "No such file or directory",
		"no server listens on that socket: is PostgreSQL running? For "
		"TCP name a host" },
	{ "could not translate host name",
		"correct the host's name, or the machine's name service" },
	{ "server does not support SSL",
		"turn TLS on at the server, or set postgres.ssl to \"prefer\" "
		"or \"disable\" where the network is trusted" },
	{ "root certificate file",
		"put the authority's certificate there or name it by sslrootcert in "
		"the connection string" },
	{ "certificate verify failed",
		"the server's certificate is not by the authority that is "
		"trusted: see sslrootcert" },
	{ "does not match host name", "connect by the name that the server's certificate has" },
	{ "timeout expired",
		"no answer: a firewall, or the wrong address; see "
		"postgres.connectionTimeoutMillis" },
	{ "too many clients",
		"the server has no connection left: raise its max_connections or lower "
		"postgres.max" },
	{ "remaining connection slots",
		"the server has no connection left: raise its max_connections "
		"or lower postgres.max" },
	{ "starting up", "the server starts; try again in a moment" },
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
	struct config_conninfo info = config_conninfo(config);
	PGconn *conn = PQconnectdbParams(info.keywords, info.values, 1);

	config_conninfo_free(&info);
	if (conn && PQstatus(conn) == CONNECTION_OK) {
		PQsetNoticeReceiver(conn, database_ignore_notice, NULL);
		return conn;
	}
	database_one_line(conn ? PQerrorMessage(conn) : "out of memory", failure->why,
		sizeof(failure->why));
	failure->hint = NULL;
	for (size_t i = 0; !failure->hint && i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strstr(failure->why, hints[i].mark))
			failure->hint = hints[i].hint;
	PQfinish(conn);
	return NULL;
}
