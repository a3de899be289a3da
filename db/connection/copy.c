/* copy.c - COPY FROM STDIN behind a savepoint, outside of pipeline mode */
#include "db/connection/copy.h"

#include <stdlib.h>
#include <string.h>

#include "db/connection/connection_state.h"
#include "db/connection/statement.h"
#include "schemas/base/text.h"

/* Unsent bytes that libpq may hold before copy_rows waits for the socket. */
#define COPY_UNSENT_MAX (128 * 1024)

static void copy_send_plain(struct connection *c, const char *sql)
{
	connection_send(c, sql, NULL, NULL, NULL, NULL, NULL);
}

/* Reads the results up to the end of the statements. True: one has the `expected` status, and none failed. */
static bool copy_take_results(struct connection *c, ExecStatusType expected, void *tag,
	bool *conflict)
{
	PGresult *result;
	bool good = false;
	while (c->pg && connection_result(c, &result) && result) {
		const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		if (PQresultStatus(result) == expected)
			good = true;
		else if (expected == PGRES_COPY_IN && PQresultStatus(result) == PGRES_COMMAND_OK)
			; /* the savepoint */
		else if (state && conflict && strcmp(state, DB_UNIQUE_VIOLATION) == 0)
			*conflict = true;
		else
			connection_keep_failure(c, result, tag);
		PQclear(result);
		if (good && expected == PGRES_COPY_IN)
			return true; /* the statement ends only after its rows */
	}
	return good && c->pg;
}

static void copy_enter_pipeline(struct connection *c)
{
	if (c->pg && PQenterPipelineMode(c->pg) != 1)
		connection_lose(c, PQerrorMessage(c->pg));
}

/* The savepoint of a COPY directly before this one is still there. */
static bool copy_send_begin(struct connection *c, const char *sql, const char *schema)
{
	struct buffer text = { 0 };
	char *copy = statement_text(sql, schema ? schema : "");
	if (c->copied)
		text_add(&text, COPY_RELEASE ";");
	text_add(&text, "SAVEPOINT stowage_copy;");
	text_add(&text, copy);
	c->copied = false;
	bool sent = PQexitPipelineMode(c->pg) == 1 && PQsendQuery(c->pg, text_string(&text));
	buffer_free(&text);
	free(copy);
	return sent;
}

bool copy_begin(struct connection *c, const char *sql, const char *schema, void *tag)
{
	if (c->unsynced || c->head != c->tail)
		connection_settle(c);
	if (!c->pg || c->failed)
		return false;
	if (!copy_send_begin(c, sql, schema)) {
		connection_lose(c, PQerrorMessage(c->pg));
		return false;
	}
	connection_flush(c, 0);
	if (copy_take_results(c, PGRES_COPY_IN, tag, NULL))
		return true;
	copy_enter_pipeline(c);
	return false;
}

void copy_rows(struct connection *c, const void *bytes, size_t size)
{
	int taken = 0;
	while (c->pg && (taken = PQputCopyData(c->pg, bytes, (int)size)) == 0)
		connection_wait(c, true);
	if (!c->pg)
		return;
	if (taken < 0) {
		connection_lose(c, PQerrorMessage(c->pg));
		return;
	}
	c->unsent += size;
	connection_flush(c, COPY_UNSENT_MAX);
}

enum copy_end copy_end(struct connection *c, void *tag)
{
	int taken = 0;
	bool conflict = false;
	while (c->pg && (taken = PQputCopyEnd(c->pg, NULL)) == 0)
		connection_wait(c, true);
	if (c->pg && taken < 0)
		connection_lose(c, PQerrorMessage(c->pg));
	connection_flush(c, 0);
	bool good = copy_take_results(c, PGRES_COMMAND_OK, tag, &conflict);
	copy_enter_pipeline(c);
	if (!c->pg || c->failed)
		return COPY_FAILED;
	if (!good)
		copy_send_plain(c, "ROLLBACK TO SAVEPOINT stowage_copy");
	c->copied = true;
	return good ? COPY_DONE : conflict ? COPY_CONFLICT : COPY_FAILED;
}
