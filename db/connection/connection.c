/* connection.c - see connection.h */
#include "db/connection/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/connection/connection_state.h"
#include "db/connection/statement.h"

#define DEFAULT_STATEMENT_CACHE 256
/* Bytes given to libpq beyond what the socket took, before sending waits for the server: its
 * buffer doubles and never shrinks. */
#define UNSENT_MAX (1024 * 1024)
/* From so many on the server is given what is there; less goes with what is behind it. */
#define SEND_BYTES (8 * 1024)

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
	c->statements = statement_cache_new(options->statement_cache ? options->statement_cache
								     : DEFAULT_STATEMENT_CACHE);
	return c;
}

void connection_free(struct connection *c)
{
	if (!c)
		return;
	connection_close(c);
	statement_cache_free(c->statements);
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

static void set_failure(struct connection *c, enum db_kind kind, const char *message)
{
	if (c->failed && kind != DB_LOST)
		return;
	if (!c->failed)
		c->failure = (struct db_failure){ .kind = kind };
	/* A server that says why it goes says more than the broken socket behind it. */
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
	c->unsynced = false;
	statement_cache_clear(c->statements);
}

void connection_lose(struct connection *c, const char *message)
{
	set_failure(c, DB_LOST, message);
	connection_close(c);
}

bool connection_is_open(const struct connection *c)
{
	return c->pg != NULL;
}

void connection_blame_cancels(struct connection *c, bool blame)
{
	c->blames_cancels = blame;
}

/* libpq gives no SQLSTATE for a failed connect; the server's messages tell set-up from outage. */
static enum db_kind connect_kind(const char *message)
{
	static const char *const setup[] = { "authentication failed", "does not exist",
		"no pg_hba.conf entry", "no password supplied", "certificate", "SSL",
		"permission denied" };
	for (size_t i = 0; i < sizeof(setup) / sizeof(setup[0]); i++)
		if (strstr(message, setup[i]))
			return DB_SETUP;
	return DB_OUTAGE;
}

/* libpq would print them on standard error, between the log's lines. */
static void connection_ignore_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

bool connection_open(struct connection *c, struct db_failure *failure)
{
	if (c->pg)
		return true;
	c->failed = false;
	c->pg = PQconnectdbParams(c->options.keywords, c->options.values, 1);
	if (!c->pg)
		abort();
	PQsetNoticeReceiver(c->pg, connection_ignore_notice, NULL);
	if (PQstatus(c->pg) == CONNECTION_OK && PQsetnonblocking(c->pg, 1) == 0 &&
		PQenterPipelineMode(c->pg) == 1)
		return true;
	*failure = (struct db_failure){ .kind = connect_kind(PQerrorMessage(c->pg)) };
	connection_copy_text(failure->message, sizeof(failure->message), PQerrorMessage(c->pg));
	connection_close(c);
	return false;
}

static size_t queue_length(const struct connection *c)
{
	return c->tail - c->head;
}

/* Head and tail stay what they are: whoever takes answers counts by them while callbacks send. */
static void grow_queue(struct connection *c)
{
	size_t size = c->queue_size * 2;
	struct expected *grown = calloc(size, sizeof(*grown));
	if (!grown)
		abort();
	for (size_t i = c->head; i != c->tail; i++)
		grown[i & (size - 1)] = c->queue[i & (c->queue_size - 1)];
	free(c->queue);
	c->queue = grown;
	c->queue_size = size;
}

static struct expected *connection_expect(struct connection *c, enum expected_kind kind)
{
	if (queue_length(c) == c->queue_size)
		grow_queue(c);
	struct expected *e = &c->queue[c->tail++ & (c->queue_size - 1)];
	*e = (struct expected){ .kind = kind };
	return e;
}

static void connection_give_up(struct connection *c)
{
	char error[256];
	PGcancel *request = PQgetCancel(c->pg);
	if (request)
		PQcancel(request, error, sizeof(error));
	PQfreeCancel(request);
	connection_lose(c, "the program ends, the statement was cancelled");
}

void connection_wait(struct connection *c, bool unsent)
{
	struct pollfd fds[2] = {
		{ .fd = PQsocket(c->pg), .events = (short)(POLLIN | (unsent ? POLLOUT : 0)) },
		{ .fd = c->options.give_up_fd ? *c->options.give_up_fd : -1, .events = POLLIN },
	};
	int n;
	do
		n = poll(fds, 2, -1);
	while (n < 0 && errno == EINTR);
	if (fds[1].revents)
		connection_give_up(c);
	else if ((fds[0].revents & (POLLIN | POLLERR | POLLHUP)) && !PQconsumeInput(c->pg))
		connection_lose(c, PQerrorMessage(c->pg));
}

void connection_flush(struct connection *c, size_t allowed)
{
	while (c->pg) {
		int rest = PQflush(c->pg);
		if (rest < 0) {
			connection_lose(c, PQerrorMessage(c->pg));
			return;
		}
		if (rest == 0)
			c->unsent = 0;
		if (rest == 0 || c->unsent <= allowed)
			return;
		connection_wait(c, true);
	}
}

static void send_simple(struct connection *c, const char *sql)
{
	connection_expect(c, EXPECT_ROWS);
	if (!PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 1))
		connection_lose(c, PQerrorMessage(c->pg));
}

/* Names the prepared statement, preparing it on the way if it is new. */
static const char *connection_prepare(struct connection *c, const char *sql, const char *schema,
	void *tag)
{
	struct statement_slot slot = statement_cache_get(c->statements, sql, schema);
	if (slot.dropped) {
		char deallocate[64];
		snprintf(deallocate, sizeof(deallocate), "DEALLOCATE %s", slot.dropped);
		send_simple(c, deallocate);
	}
	if (!slot.fresh || !c->pg)
		return slot.name;
	struct expected *e = connection_expect(c, EXPECT_PREPARE);
	e->tag = tag;
	snprintf(e->name, sizeof(e->name), "%s", slot.name);
	char *text = statement_text(sql, schema ? schema : "");
	if (!PQsendPrepare(c->pg, slot.name, text, 0, NULL))
		connection_lose(c, PQerrorMessage(c->pg));
	free(text);
	return slot.name;
}

static int send_query(struct connection *c, const char *sql, const char *schema,
	struct params *params, void *tag)
{
	int count = params ? params_count(params) : 0;
	const char *const *values = count ? params_values(params) : NULL;
	const int *lengths = count ? params_lengths(params) : NULL;
	const int *formats = count ? params_formats(params) : NULL;
	if (c->options.prepared_statements) {
		const char *name = connection_prepare(c, sql, schema, tag);
		return c->pg ? PQsendQueryPrepared(c->pg, name, count, values, lengths, formats, 1)
			     : 0;
	}
	char *text = statement_text(sql, schema ? schema : "");
	int sent = PQsendQueryParams(c->pg, text, count, NULL, values, lengths, formats, 1);
	free(text);
	return sent;
}

void connection_send(struct connection *c, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag)
{
	size_t bytes = (params ? params_bytes(params) : 0) + strlen(sql);
	if (c->unsent > 0 && c->unsent + bytes > UNSENT_MAX)
		connection_flush(c, 0);
	if (!c->pg)
		return;
	int sent = send_query(c, sql, schema, params, tag);
	if (!c->pg)
		return;
	if (!sent) {
		connection_lose(c, PQerrorMessage(c->pg));
		return;
	}
	struct expected *e = connection_expect(c, EXPECT_ROWS);
	e->done = done;
	e->arg = arg;
	e->tag = tag;
	c->unsynced = true;
	c->unsent += bytes;
	if (c->unsent >= SEND_BYTES)
		connection_flush(c, UNSENT_MAX);
}

void connection_bound(struct connection *c, size_t bytes)
{
	if (c->pg)
		c->queue[(c->tail - 1) & (c->queue_size - 1)].bound = bytes;
}

bool connection_rows_cut(const struct connection *c)
{
	return c->cut;
}

void connection_keep_failure(struct connection *c, const PGresult *result, void *tag)
{
	if (c->failed)
		return;
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
	struct db_failure *f = &c->failure;
	*f = (struct db_failure){ .tag = tag };
	snprintf(f->sqlstate, sizeof(f->sqlstate), "%s", state ? state : "");
	connection_copy_text(f->message, sizeof(f->message),
		message ? message : PQresultErrorMessage(result));
	connection_copy_text(f->detail, sizeof(f->detail), detail ? detail : "");
	f->kind = db_kind_of(f->sqlstate);
	if (c->blames_cancels && strcmp(f->sqlstate, "57014") == 0)
		f->kind = DB_COMMAND;
	/* "cached plan must not change result type": the table was altered under the plan. */
	if (function && strcmp(function, "RevalidateCachedQuery") == 0)
		f->kind = DB_STALE;
	c->failed = true;
}

static void connection_take_result(struct connection *c, PGresult *result)
{
	struct expected e = c->queue[c->head & (c->queue_size - 1)];
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		if (e.kind == EXPECT_ROWS) {
			snprintf(c->last_tag, sizeof(c->last_tag), "%s", PQcmdStatus(result));
			if (e.done)
				e.done(e.arg, (const struct rows *)(const void *)result);
		}
		break;
	case PGRES_PIPELINE_ABORTED:
		if (e.kind == EXPECT_PREPARE)
			statement_cache_forget(c->statements, e.name);
		break;
	default:
		connection_keep_failure(c, result, e.tag);
		if (e.kind == EXPECT_PREPARE)
			statement_cache_forget(c->statements, e.name);
		break;
	}
}

bool connection_result(struct connection *c, PGresult **result)
{
	while (c->pg && PQisBusy(c->pg))
		connection_wait(c, c->unsent > 0 && PQflush(c->pg) == 1);
	if (!c->pg)
		return false;
	*result = PQgetResult(c->pg);
	if (*result || PQstatus(c->pg) == CONNECTION_OK)
		return true;
	connection_lose(c, PQerrorMessage(c->pg));
	return false;
}

static void connection_add_row(PGresult *rows, const PGresult *one, size_t *bytes)
{
	int row = PQntuples(rows);
	for (int i = 0; i < PQnfields(one); i++) {
		bool null = PQgetisnull(one, 0, i);
		int length = null ? -1 : PQgetlength(one, 0, i);
		if (!PQsetvalue(rows, row, i, null ? NULL : PQgetvalue(one, 0, i), length))
			abort();
		*bytes += null ? 0 : (size_t)length;
	}
}

/* The next result, where rows come one by one: gathers those within the bound. */
static bool bounded_result(struct connection *c, size_t bound, PGresult **result)
{
	PGresult *rows = NULL;
	size_t bytes = 0;
	while (connection_result(c, result) && *result &&
		PQresultStatus(*result) == PGRES_SINGLE_TUPLE) {
		if (!rows && !(rows = PQcopyResult(*result, PG_COPYRES_ATTRS)))
			abort();
		c->cut = bytes > bound;
		if (!c->cut)
			connection_add_row(rows, *result, &bytes);
		PQclear(*result);
	}
	if (!c->pg || !*result || PQresultStatus(*result) != PGRES_TUPLES_OK || !rows) {
		PQclear(rows);
		return c->pg != NULL;
	}
	PQclear(*result);
	*result = rows;
	return true;
}

static bool next_result(struct connection *c, PGresult **result)
{
	size_t bound = c->queue[c->head & (c->queue_size - 1)].bound;
	c->cut = false;
	if (bound && PQsetSingleRowMode(c->pg))
		return bounded_result(c, bound, result);
	return connection_result(c, result);
}

/* One expected answer: its result and the NULL behind it, or a sync alone. */
static void take_answer(struct connection *c)
{
	PGresult *result;
	if (!next_result(c, &result))
		return;
	if (!result) /* a stray end marker */
		return;
	if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
		PQclear(result);
		c->head++;
		return;
	}
	connection_take_result(c, result);
	PQclear(result);
	while (c->pg && connection_result(c, &result)) {
		if (!result)
			break;
		connection_keep_failure(c, result, NULL);
		PQclear(result);
	}
	if (c->pg)
		c->head++;
}

static void send_sync(struct connection *c)
{
	if (!c->pg)
		return;
	connection_expect(c, EXPECT_SYNC);
	c->unsynced = false;
	if (!PQpipelineSync(c->pg))
		connection_lose(c, PQerrorMessage(c->pg));
}

static bool sync_expected(const struct connection *c)
{
	for (size_t i = c->head; i != c->tail; i++)
		if (c->queue[i & (c->queue_size - 1)].kind == EXPECT_SYNC)
			return true;
	return false;
}

/* Takes all answers; callbacks may have sent more meanwhile, so asks again until none is left:
 * behind a sync each time if all of it is to be `synced`. */
static void take_answers(struct connection *c, bool synced)
{
	while (c->pg && queue_length(c) > 0) {
		if (synced && c->unsynced)
			send_sync(c);
		size_t until = c->tail;
		if (c->pg && !sync_expected(c) && !PQsendFlushRequest(c->pg))
			connection_lose(c, PQerrorMessage(c->pg));
		connection_flush(c, 0);
		while (c->pg && c->head != until)
			take_answer(c);
	}
}

static enum db_kind connection_finish(struct connection *c, struct db_failure *failure)
{
	if (!c->failed && c->pg)
		return DB_OK;
	if (c->pg && c->failure.kind != DB_LOST) {
		/* Whatever was skipped ends at a sync. */
		connection_settle(c);
	}
	if (!c->failed) {
		/* It was closed before, and its cause told then. */
		c->failure = (struct db_failure){ .kind = DB_LOST };
		connection_copy_text(c->failure.message, sizeof(c->failure.message),
			"not connected");
	}
	*failure = c->failure;
	if (!c->pg)
		failure->kind = DB_LOST;
	c->failed = false;
	return failure->kind;
}

enum db_kind connection_drain(struct connection *c, struct db_failure *failure)
{
	take_answers(c, false);
	return connection_finish(c, failure);
}

void connection_settle(struct connection *c)
{
	send_sync(c);
	take_answers(c, false);
}

enum db_kind connection_sync(struct connection *c, struct db_failure *failure)
{
	if (c->unsynced)
		send_sync(c);
	take_answers(c, true);
	return connection_finish(c, failure);
}

void connection_rollback(struct connection *c)
{
	struct db_failure ignored;
	if (!c->pg)
		return;
	connection_send(c, "ROLLBACK", NULL, NULL, NULL, NULL, NULL);
	if (connection_sync(c, &ignored) != DB_OK)
		connection_close(c);
}

const char *connection_last_tag(const struct connection *c)
{
	return c->last_tag;
}

void connection_forget_statements(struct connection *c)
{
	struct db_failure ignored;
	if (!c->pg)
		return;
	statement_cache_clear(c->statements);
	send_simple(c, "DEALLOCATE ALL");
	if (connection_sync(c, &ignored) != DB_OK)
		connection_close(c);
}
