/* connection.c - opening and closing a connection, and keeping the first failure on it */
#include "db/connection/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/connection/connection_state.h"

#define DEFAULT_STATEMENT_CACHE 256
#define READ_ONLY "25006"

struct connection *connection_new(const struct connection_options *options)
{
	struct connection *c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	c->options = *options;
	c->queue_size = 64;
	c->queue = calloc(c->queue_size, sizeof(*c->queue));
	if (!c->queue)
		abort();
	c->limit_params = params_new();
	size_t capacity = options->statement_cache ? options->statement_cache
						   : DEFAULT_STATEMENT_CACHE;
	c->statements = statement_cache_new(capacity, options->tenant_bytes);
	return c;
}

void connection_free(struct connection *c)
{
	if (!c)
		return;
	connection_close(c);
	statement_cache_free(c->statements);
	params_free(c->limit_params);
	free(c->queue);
	free(c);
}

static void connection_copy_text(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);
	while (len > 0 && (from[len - 1] == '\n' || from[len - 1] == ' '))
		len--;
	snprintf(to, size, "%.*s", (int)len, from);
}

/* Keeps a failure that has no result. A lost connection overrules the kind of an earlier failure, but
 * not its message: a server that says why it goes says more than the broken socket behind it. */
static void connection_set_failure(struct connection *c, enum db_kind kind, const char *message)
{
	if (c->failed && kind != DB_LOST)
		return;
	if (!c->failed)
		c->failure = (struct db_failure){ .kind = kind };
	if (!c->failure.message[0])
		connection_copy_text(c->failure.message, sizeof(c->failure.message), message);
	c->failure.kind = kind;
	c->failed = true;
}

void connection_close(struct connection *c)
{
	PQfinish(c->pg);
	c->pg = NULL;
	c->head = c->tail = 0;
	c->unsent = 0;
	c->unsynced = c->copied = false;
	statement_cache_clear(c->statements);
}

void connection_lose(struct connection *c, const char *message)
{
	if (!c->failed && c->farewell.sqlstate[0]) {
		c->failure = c->farewell;
		c->failed = true;
	}
	connection_set_failure(c, DB_LOST, message);
	connection_close(c);
}

bool connection_is_open(const struct connection *c)
{
	return c->pg != NULL;
}

bool connection_is_pooled(const struct connection *c)
{
	return c->pooled;
}

/* libpq gives no SQLSTATE for a failed connect, so the server's message tells a wrong installation from
 * an outage. */
static enum db_kind connection_kind_of_refusal(const char *message)
{
	static const char *const setup[] = { "authentication failed", "does not exist",
		"no pg_hba.conf entry", "no password supplied", "certificate", "SSL error",
		"not support SSL", "permission denied" };
	for (size_t i = 0; i < sizeof(setup) / sizeof(setup[0]); i++)
		if (strstr(message, setup[i]))
			return DB_SETUP;
	return DB_OUTAGE;
}

/* libpq prints notices on standard error, between the lines of the log. A server that recovers from a crash
 * says so in a notice (SQLSTATE 57P02) before it ends the session. */
static void connection_take_notice(void *arg, const PGresult *result)
{
	struct connection *c = arg;
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	if (!state || strncmp(state, "57P", 3) != 0)
		return;
	snprintf(c->farewell.sqlstate, sizeof(c->farewell.sqlstate), "%s", state);
	connection_copy_text(c->farewell.message, sizeof(c->farewell.message),
		message ? message : "the server ends the session");
}

struct db_life connection_life(const struct connection *c)
{
	return c->life;
}

static void connection_take_life(void *arg, const struct rows *rows)
{
	struct connection *c = arg;
	c->life.started = rows_null(rows, 0, 1) ? 0 : rows_integer(rows, 0, 1);
	c->life.recovered = rows_null(rows, 0, 2) ? 0 : rows_integer(rows, 0, 2);
	c->pooled = rows_integer(rows, 0, 0) != PQbackendPID(c->pg);
}

/* A pooler gives its clients a process id of its own making. The server's statistics begin anew when it
 * recovers from a crash, while its main process lives on. */
static const char connection_look_sql[] =
	"SELECT pg_catalog.pg_backend_pid(),"
	" (extract(epoch FROM pg_catalog.pg_postmaster_start_time()) * 1000000)::int8,"
	" (extract(epoch FROM pg_catalog.pg_stat_get_bgwriter_stat_reset_time()) * 1000000)::int8";

static bool connection_look(struct connection *c, struct db_failure *failure)
{
	connection_send_unprepared(c, connection_look_sql, connection_take_life);
	if (connection_sync(c, failure) != DB_OK)
		return false;
	connection_limit_session(c);
	return !c->unsynced || connection_sync(c, failure) == DB_OK;
}

static bool connection_start(struct connection *c, struct db_failure *failure)
{
	c->farewell = (struct db_failure){ 0 };
	PQsetNoticeReceiver(c->pg, connection_take_notice, c);
	if (PQstatus(c->pg) == CONNECTION_OK && PQsetnonblocking(c->pg, 1) == 0 &&
		PQenterPipelineMode(c->pg) == 1)
		return connection_look(c, failure);
	*failure = (struct db_failure){ .kind = connection_kind_of_refusal(PQerrorMessage(c->pg)) };
	connection_copy_text(failure->message, sizeof(failure->message), PQerrorMessage(c->pg));
	return false;
}

bool connection_open(struct connection *c, struct db_failure *failure)
{
	if (c->pg)
		return true;
	c->failed = false;
	c->pg = c->options.connect(c->options.connect_arg);
	if (!c->pg)
		abort();
	if (connection_start(c, failure))
		return true;
	connection_close(c);
	return false;
}

void connection_keep_failure(struct connection *c, const PGresult *result, void *tag)
{
	if (c->failed)
		return;
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	/* libpq's own words: it had no memory for a row, and reads on behind it. */
	if (!state && PQstatus(c->pg) == CONNECTION_OK &&
		strstr(PQresultErrorMessage(result), "out of memory")) {
		connection_keep_exhausted(c, tag);
		return;
	}
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
	struct db_failure *f = &c->failure;
	*f = (struct db_failure){ .tag = tag };
	snprintf(f->sqlstate, sizeof(f->sqlstate), "%s", state ? state : "");
	connection_copy_text(f->message, sizeof(f->message),
		message ? message : PQresultErrorMessage(result));
	connection_copy_text(f->detail, sizeof(f->detail), detail ? detail : "");
	db_failure_classify(f, function);
	db_failure_blame_column(f, PQresultErrorField(result, PG_DIAG_TABLE_NAME),
		PQresultErrorField(result, PG_DIAG_COLUMN_NAME));
	/* At once, because the ROLLBACK that follows must not need a prepared statement. */
	if (f->kind == DB_STALE && c->pooled)
		c->unnamed = true;
	c->failed = true;
}

void connection_keep_exhausted(struct connection *c, void *tag)
{
	if (c->failed)
		return;
	c->failure = (struct db_failure){ .kind = DB_COMMAND,
		.sqlstate = DB_ROWS_TOO_LARGE,
		.message = "no memory for the rows of the statement",
		.tag = tag };
	c->failed = true;
}

enum db_kind connection_take_failure(struct connection *c, struct db_failure *failure)
{
	if (!c->failed) {
		/* The connection was closed earlier, and its cause was reported then. */
		c->failure = (struct db_failure){ .kind = DB_LOST };
		connection_copy_text(c->failure.message, sizeof(c->failure.message),
			"not connected");
	}
	if (strcmp(c->failure.sqlstate, READ_ONLY) == 0)
		connection_close(c);
	*failure = c->failure;
	if (!c->pg)
		failure->kind = DB_LOST;
	c->failed = false;
	return failure->kind;
}
