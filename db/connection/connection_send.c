/* connection_send.c - sending statements: into the pipeline and out to the socket */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/connection/connection.h"
#include "db/connection/connection_state.h"
#include "db/connection/statement.h"
#include "schemas/base/clock.h"

/* Unsent bytes that libpq may hold before connection_send waits for the server: libpq's buffer doubles
 * and never shrinks. */
#define UNSENT_MAX (1024 * 1024)
/* From this many unsent bytes on, connection_send writes to the socket. Fewer bytes wait for the
 * statements behind them. */
#define SEND_BYTES (8 * 1024)

/* head and tail keep their values: connection_drain counts by them while callbacks send. */
static void send_grow_queue(struct connection *c)
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

static struct expected *send_expect(struct connection *c, enum expected_kind kind)
{
	if (c->tail - c->head == c->queue_size)
		send_grow_queue(c);
	struct expected *e = &c->queue[c->tail++ & (c->queue_size - 1)];
	*e = (struct expected){ .kind = kind };
	return e;
}

static void send_give_up(struct connection *c)
{
	char error[256];
	PGcancel *request = PQgetCancel(c->pg);
	if (request)
		PQcancel(request, error, sizeof(error));
	PQfreeCancel(request);
	connection_lose(c, "the program ends, the statement was cancelled");
}

void connection_watch(struct connection *c, int64_t tick, connection_waits_fn *fn, void *arg)
{
	c->watch_at = tick;
	c->watch_fn = fn;
	c->watch_arg = arg;
}

/* Returns poll's timeout until the watch ends; -1: there is none. Tells the watcher once it has ended. */
static int send_watch_ms(struct connection *c)
{
	if (!c->watch_at)
		return -1;
	int64_t left = c->watch_at - clock_tick_ms();
	if (left > 0)
		return left < INT_MAX ? (int)left : INT_MAX;
	void *tag = NULL;
	for (size_t i = c->head; i != c->tail && !tag; i++)
		tag = c->queue[i & (c->queue_size - 1)].tag;
	c->watch_at = 0;
	c->watch_fn(c->watch_arg, tag);
	return -1;
}

void connection_wait(struct connection *c, bool unsent)
{
	struct pollfd fds[2] = {
		{ .fd = PQsocket(c->pg), .events = (short)(POLLIN | (unsent ? POLLOUT : 0)) },
		{ .fd = c->options.give_up_fd ? *c->options.give_up_fd : -1, .events = POLLIN },
	};
	int n;
	do
		n = poll(fds, 2, send_watch_ms(c));
	while (n == 0 || (n < 0 && errno == EINTR));
	if (fds[1].revents)
		send_give_up(c);
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

void connection_send_unprepared(struct connection *c, const char *sql, connection_result_fn *done)
{
	struct expected *e = send_expect(c, EXPECT_ROWS);
	e->done = done;
	e->arg = c;
	c->unsynced = true;
	if (!PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 1))
		connection_lose(c, PQerrorMessage(c->pg));
}

/* A statement on its way to the server. */
struct sending {
	const char *sql;
	const char *schema;
	struct params *params; /* NULL: none */
	void *tag;
	bool composed;
};

static enum statement_share send_share(const struct connection *c, const struct sending *sending)
{
	const char *own = c->options.own_schema, *schema = sending->schema;
	if (own && schema && schema != own && strcmp(schema, own) != 0)
		return SHARE_TENANTS;
	return sending->composed ? SHARE_COMPOSED : SHARE_OWN;
}

/* Returns the prepared statement's name. Sends PREPARE first if the statement is new. NULL: the statement
 * is not to be prepared. */
static const char *send_prepare(struct connection *c, const struct sending *sending)
{
	const char *sql = sending->sql, *schema = sending->schema;
	enum statement_share share = send_share(c, sending);
	if (c->unnamed || (c->pooled && share != SHARE_OWN))
		return NULL;
	struct statement_slot slot = statement_cache_get(c->statements, share, sql, schema);
	/* A pooler that knows prepared statements gives them names of its own, so DEALLOCATE fails. */
	if (slot.dropped && c->pooled) {
		c->unnamed = true;
		return NULL;
	}
	if (slot.dropped) {
		char deallocate[64];
		snprintf(deallocate, sizeof(deallocate), "DEALLOCATE %s", slot.dropped);
		connection_send_unprepared(c, deallocate, NULL);
	}
	if (!slot.fresh || !c->pg)
		return slot.name;
	struct expected *e = send_expect(c, EXPECT_PREPARE);
	e->tag = sending->tag;
	snprintf(e->name, sizeof(e->name), "%s", slot.name);
	char *text = statement_text(sql, schema ? schema : "");
	if (!PQsendPrepare(c->pg, slot.name, text, 0, NULL))
		connection_lose(c, PQerrorMessage(c->pg));
	free(text);
	return slot.name;
}

static int send_query(struct connection *c, const struct sending *sending)
{
	struct params *params = sending->params;
	int count = params ? params_count(params) : 0;
	const char *const *values = count ? params_values(params) : NULL;
	const int *lengths = count ? params_lengths(params) : NULL;
	const int *formats = count ? params_formats(params) : NULL;
	const char *name = c->options.prepared_statements ? send_prepare(c, sending) : NULL;
	if (!c->pg)
		return 0;
	if (name)
		return PQsendQueryPrepared(c->pg, name, count, values, lengths, formats, 1);
	char *text = statement_text(sending->sql, sending->schema ? sending->schema : "");
	int sent = PQsendQueryParams(c->pg, text, count, NULL, values, lengths, formats, 1);
	free(text);
	return sent;
}

/* A pooler's session serves other clients, too, so it is left as it is. */
static bool limit_session_has(const struct connection *c)
{
	return c->options.limits.run_ms && !c->pooled;
}

/* The first statement after a sync begins a transaction: the limits of the one before are gone. */
static void limit_first(struct connection *c)
{
	const struct statement_limits *session = &c->options.limits;
	if (!c->limits.run_ms || !c->pg || c->unsynced)
		return;
	c->unsynced = true;
	if (!limit_session_has(c) || c->limits.run_ms != session->run_ms ||
		c->limits.lock_ms != session->lock_ms)
		connection_limit(c, c->limits);
}

static void send_statement(struct connection *c, const struct sending *sending,
	connection_result_fn *done, void *arg)
{
	limit_first(c);
	if (c->copied && c->pg) {
		c->copied = false;
		connection_send_unprepared(c, COPY_RELEASE, NULL);
	}
	size_t bytes = (sending->params ? params_bytes(sending->params) : 0) + strlen(sending->sql);
	if (c->unsent > 0 && c->unsent + bytes > UNSENT_MAX)
		connection_flush(c, 0);
	if (!c->pg)
		return;
	int sent = send_query(c, sending);
	if (!c->pg)
		return;
	if (!sent) {
		connection_lose(c, PQerrorMessage(c->pg));
		return;
	}
	struct expected *e = send_expect(c, EXPECT_ROWS);
	e->done = done;
	e->arg = arg;
	e->tag = sending->tag;
	c->unsynced = true;
	c->unsent += bytes;
	if (c->unsent >= SEND_BYTES)
		connection_flush(c, UNSENT_MAX);
}

static const char sql_limits[] =
	"SELECT pg_catalog.set_config('statement_timeout', $1::text, $3::bool),"
	" pg_catalog.set_config('lock_timeout', $2::text, $3::bool)";

static void limit_send(struct connection *c, struct statement_limits limits, bool local)
{
	char text[32];
	params_reset(c->limit_params);
	snprintf(text, sizeof(text), "%lldms", (long long)limits.run_ms);
	params_text(c->limit_params, text, strlen(text));
	snprintf(text, sizeof(text), "%lldms", (long long)limits.lock_ms);
	params_text(c->limit_params, text, strlen(text));
	params_bool(c->limit_params, local);
	connection_send(c, sql_limits, NULL, c->limit_params, NULL, NULL, NULL);
}

void connection_limit(struct connection *c, struct statement_limits limits)
{
	limit_send(c, limits, true);
}

void connection_limit_session(struct connection *c)
{
	if (limit_session_has(c))
		limit_send(c, c->options.limits, false);
}

void connection_reset_settings(struct connection *c)
{
	connection_send(c, "RESET ALL", NULL, NULL, NULL, NULL, NULL);
	connection_limit_session(c);
}

void connection_limit_syncs(struct connection *c, struct statement_limits limits)
{
	c->limits = limits;
}

void connection_send(struct connection *c, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag)
{
	struct sending sending = { sql, schema, params, tag, false };
	send_statement(c, &sending, done, arg);
}

void connection_send_composed(struct connection *c, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag)
{
	struct sending sending = { sql, schema, params, tag, true };
	send_statement(c, &sending, done, arg);
}

void connection_describe(struct connection *c, const char *sql, const uint32_t *oids, int count,
	connection_result_fn *done, void *arg, void *tag)
{
	limit_first(c);
	if (!c->pg)
		return;
	send_expect(c, EXPECT_PREPARE)->tag = tag;
	c->unsynced = true;
	c->unsent += strlen(sql);
	if (!PQsendPrepare(c->pg, "", sql, count, oids)) {
		connection_lose(c, PQerrorMessage(c->pg));
		return;
	}
	struct expected *e = send_expect(c, EXPECT_ROWS);
	e->done = done;
	e->arg = arg;
	e->tag = tag;
	if (!PQsendDescribePrepared(c->pg, ""))
		connection_lose(c, PQerrorMessage(c->pg));
}

void connection_renew_statements(struct connection *c)
{
	statement_cache_clear(c->statements);
	/* A pooler knows the session's statements under names of its own. */
	if (c->pooled)
		c->unnamed = true;
	else if (c->pg)
		connection_send_unprepared(c, "DEALLOCATE ALL", NULL);
}

void connection_bound(struct connection *c, size_t bytes)
{
	if (c->pg)
		c->queue[(c->tail - 1) & (c->queue_size - 1)].bound = bytes;
}

void connection_stream(struct connection *c)
{
	if (c->pg)
		c->queue[(c->tail - 1) & (c->queue_size - 1)].stream = true;
}

void connection_send_sync(struct connection *c)
{
	if (!c->pg)
		return;
	send_expect(c, EXPECT_SYNC);
	c->unsynced = false;
	if (!PQpipelineSync(c->pg))
		connection_lose(c, PQerrorMessage(c->pg));
}
