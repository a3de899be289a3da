/* connection_drain.c - reading results: callbacks, failures, and the round trips that wait for them */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/connection/connection.h"
#include "db/connection/connection_state.h"

bool connection_rows_cut(const struct connection *c)
{
	return c->cut;
}

static void drain_take_result(struct connection *c, PGresult *result)
{
	struct expected e = c->queue[c->head & (c->queue_size - 1)];
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
		if (c->exhausted) {
			connection_keep_exhausted(c, e.tag);
		} else if (e.kind == EXPECT_ROWS) {
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

static size_t drain_row_bytes(const PGresult *one)
{
	size_t bytes = 0;
	for (int i = 0; i < PQnfields(one); i++)
		bytes += (size_t)PQgetlength(one, 0, i);
	return bytes;
}

/* False: out of memory. */
static bool drain_add_row(PGresult *rows, const PGresult *one)
{
	int row = PQntuples(rows);
	for (int i = 0; i < PQnfields(one); i++) {
		bool null = PQgetisnull(one, 0, i);
		if (!PQsetvalue(rows, row, i, null ? NULL : PQgetvalue(one, 0, i),
			    null ? -1 : PQgetlength(one, 0, i)))
			return false;
	}
	return true;
}

/* Keeps the row unless it exceeds the bound. The first row is always kept. */
static void drain_keep_row(struct connection *c, PGresult **rows, const PGresult *one, size_t bound,
	size_t *bytes)
{
	if (!*rows)
		*rows = PQcopyResult(one, PG_COPYRES_ATTRS);
	else if (PQntuples(*rows) > 0 && *bytes + drain_row_bytes(one) > bound)
		c->cut = true;
	*bytes += drain_row_bytes(one);
	if (!c->cut && (!*rows || !drain_add_row(*rows, one)))
		c->exhausted = true;
}

/* Reads the next result in single-row mode and keeps the rows within the bound. */
static bool drain_bounded_result(struct connection *c, size_t bound, PGresult **result)
{
	PGresult *rows = NULL;
	size_t bytes = 0;
	while (connection_result(c, result) && *result &&
		PQresultStatus(*result) == PGRES_SINGLE_TUPLE) {
		if (!c->cut && !c->exhausted)
			drain_keep_row(c, &rows, *result, bound, &bytes);
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

/* Hands each row over. *result becomes the end of the rows, which has none. */
static bool drain_streamed_result(struct connection *c, const struct expected *e, PGresult **result)
{
	while (connection_result(c, result) && *result &&
		PQresultStatus(*result) == PGRES_SINGLE_TUPLE) {
		e->done(e->arg, (const struct rows *)(const void *)*result);
		PQclear(*result);
	}
	return c->pg != NULL;
}

static bool drain_next_result(struct connection *c, PGresult **result)
{
	/* A copy: callbacks may send, and the queue then moves. */
	struct expected e = c->queue[c->head & (c->queue_size - 1)];
	c->cut = c->exhausted = false;
	if (e.stream && e.done && PQsetSingleRowMode(c->pg))
		return drain_streamed_result(c, &e, result);
	if (e.bound && PQsetSingleRowMode(c->pg))
		return drain_bounded_result(c, e.bound, result);
	return connection_result(c, result);
}

/* Reads one expected answer: a result and the NULL behind it, or a sync alone. */
static void drain_one(struct connection *c)
{
	PGresult *result;
	if (!drain_next_result(c, &result))
		return;
	if (!result) /* a stray end marker */
		return;
	if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
		PQclear(result);
		c->head++;
		return;
	}
	drain_take_result(c, result);
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

static bool drain_expects_sync(const struct connection *c)
{
	for (size_t i = c->head; i != c->tail; i++)
		if (c->queue[i & (c->queue_size - 1)].kind == EXPECT_SYNC)
			return true;
	return false;
}

/* Reads all answers. Callbacks may send more statements meanwhile, so it repeats until none is left. With
 * `synced`, it sends a sync before each round that needs one. */
static void drain_all(struct connection *c, bool synced)
{
	while (c->pg && c->tail != c->head) {
		if (synced && c->unsynced)
			connection_send_sync(c);
		size_t until = c->tail;
		if (c->pg && !drain_expects_sync(c) && !PQsendFlushRequest(c->pg))
			connection_lose(c, PQerrorMessage(c->pg));
		connection_flush(c, 0);
		while (c->pg && c->head != until)
			drain_one(c);
	}
}

static enum db_kind drain_finish(struct connection *c, struct db_failure *failure)
{
	if (!c->failed && c->pg)
		return DB_OK;
	if (c->pg && c->failure.kind != DB_LOST) {
		/* The server skips statements up to the next sync. */
		connection_settle(c);
	}
	return connection_take_failure(c, failure);
}

enum db_kind connection_drain(struct connection *c, struct db_failure *failure)
{
	drain_all(c, false);
	return drain_finish(c, failure);
}

void connection_settle(struct connection *c)
{
	connection_send_sync(c);
	drain_all(c, false);
}

enum db_kind connection_sync(struct connection *c, struct db_failure *failure)
{
	if (c->unsynced)
		connection_send_sync(c);
	drain_all(c, true);
	return drain_finish(c, failure);
}

void connection_rollback(struct connection *c)
{
	struct db_failure ignored;
	if (!c->pg)
		return;
	/* In a transaction that failed, the limits would fail. */
	struct statement_limits limits = c->limits;
	c->limits = (struct statement_limits){ 0 };
	c->copied = false;
	connection_send(c, "ROLLBACK", NULL, NULL, NULL, NULL, NULL);
	if (connection_sync(c, &ignored) != DB_OK)
		connection_close(c);
	c->limits = limits;
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
	if (c->unnamed)
		return;
	connection_send_unprepared(c, "DEALLOCATE ALL", NULL);
	if (connection_sync(c, &ignored) != DB_OK)
		connection_close(c);
}
