/* connection.c - the functions of connection.h, copy.h and lane_rows.h on the simulated database */
#include "db/connection/connection.h"

#include <arpa/inet.h>
#include <endian.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/state/lane_rows.h"
#include "handlers/core/context.h"
#include "schemas/base/alloc.h"
#include "tests/model/session.h"
#include "tests/unit/worker/engine/fake_connection.h"
#include "worker/engine/job.h"
#include "worker/kafka/outgoing.h"

#define OID_INT8 20

struct connection {
	struct session *session; /* NULL: closed */
	char last_tag[16];
};

struct connection *connection_new(const struct connection_options *options)
{
	(void)options;
	return alloc_zero(1, sizeof(struct connection));
}

void connection_free(struct connection *connection)
{
	connection_close(connection);
	free(connection);
}

bool connection_is_open(const struct connection *connection)
{
	return connection->session != NULL;
}

bool connection_open(struct connection *connection, struct db_failure *failure)
{
	sim_yield();
	if (!connection->session && !strikes(model.faults.connect))
		connection->session = session_new(sim_process());
	*failure = (struct db_failure){ .kind = DB_OUTAGE, .message = "refused" };
	return connection->session != NULL;
}

void connection_close(struct connection *connection)
{
	if (connection->session)
		session_abandon(connection->session);
	connection->session = NULL;
}

void connection_forget_statements(struct connection *connection)
{
	(void)connection;
}

const char *connection_last_tag(const struct connection *connection)
{
	return connection->last_tag;
}

/* --- sending --- */

static struct statement *push(struct connection *connection, enum statement_kind kind)
{
	static struct statement nowhere;
	struct session *session = connection->session;
	if (!session || session->lost)
		return &nowhere;
	if (session->tail - session->read >= STATEMENTS_MAX)
		abort();
	struct statement *s = &session->statements[session->tail++ % STATEMENTS_MAX];
	free(s->payload);
	*s = (struct statement){ .kind = kind };
	return s;
}

static enum statement_kind kind_of(const char *sql)
{
	static const struct {
		const char *begin;
		enum statement_kind kind;
	} kinds[] = {
		{ "BEGIN", STATEMENT_BEGIN },
		{ "COMMIT", STATEMENT_COMMIT },
		{ "SAVEPOINT", STATEMENT_SAVEPOINT },
		{ "ROLLBACK TO", STATEMENT_ROLLBACK_TO },
		{ "RELEASE", STATEMENT_OTHER },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strncmp(sql, kinds[i].begin, strlen(kinds[i].begin)) == 0)
			return kinds[i].kind;
	return STATEMENT_OTHER;
}

/* The commands of a context: its tag. */
static void push_commands(struct statement *s, const struct context *ctx, const char *sql)
{
	s->kind = STATEMENT_COMMANDS;
	s->counts = strstr(sql, "AS total") != NULL;
	for (size_t i = 0; i < ctx->count && s->place_count < PLACES_MAX; i++) {
		const struct job *job = job_of(ctx->calls[i]);
		s->places[s->place_count++] = (struct place){ (int)job->lane->partition,
			(int)job->message->offset };
	}
}

void connection_send(struct connection *connection, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag)
{
	(void)schema, (void)params;
	sim_yield();
	struct statement *s = push(connection, kind_of(sql));
	if (tag)
		push_commands(s, tag, sql);
	s->done = done;
	s->arg = arg;
	s->tag = tag;
}

void connection_send_composed(struct connection *connection, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag)
{
	connection_send(connection, sql, schema, params, done, arg, tag);
}

/* --- results --- */

static bool has_results(void *arg)
{
	const struct session *session = arg;
	return session->lost || session->executed == session->tail;
}

/* A result without rows, or with one number. */
static const struct rows *result_of(bool number)
{
	static PGresult *results[2];
	PGresult *made = results[number];
	if (!made) {
		PGresAttDesc column = { .name = (char *)(uintptr_t)"total",
			.format = 1,
			.typid = OID_INT8,
			.typlen = 8 };
		uint64_t value = htobe64(1);
		char bytes[8];
		memcpy(bytes, &value, sizeof(bytes));
		results[number] = made = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
		if (number)
			PQsetResultAttrs(made, 1, &column);
		if (number && !PQsetvalue(made, 0, 0, bytes, sizeof(bytes)))
			abort();
	}
	return (const struct rows *)(const void *)made;
}

static enum db_kind lost(struct connection *connection, struct db_failure *failure)
{
	*failure = (struct db_failure){ .kind = DB_LOST, .message = "lost" };
	if (connection->session)
		session_abandon(connection->session);
	connection->session = NULL;
	return DB_LOST;
}

static void read_failure(const struct statement *s, struct db_failure *failure)
{
	*failure = (struct db_failure){ .kind = s->failure, .tag = s->tag };
	snprintf(failure->sqlstate, sizeof(failure->sqlstate), "%s", s->sqlstate);
	snprintf(failure->message, sizeof(failure->message), "SQLSTATE %s", s->sqlstate);
	snprintf(failure->detail, sizeof(failure->detail), "%s", s->detail);
}

static void read_success(struct connection *connection, const struct statement *s)
{
	if (s->kind == STATEMENT_COMMIT)
		snprintf(connection->last_tag, sizeof(connection->last_tag), "%s",
			s->rolled_back ? "ROLLBACK" : "COMMIT");
	if (s->done)
		s->done(s->arg, result_of(s->counts));
}

/* Reads the results of what was executed. *claimed: what a claim returned; may be NULL. */
static enum db_kind drain(struct connection *connection, struct db_failure *failure,
	struct lane_claimed *claimed)
{
	struct session *session = connection->session;
	enum db_kind kind = DB_OK;
	while (session && session->read < session->tail) {
		sim_wait(has_results, session, INT64_MAX);
		if (session->lost)
			break;
		while (session->read < session->executed) {
			const struct statement *s =
				&session->statements[session->read++ % STATEMENTS_MAX];
			if (kind == DB_OK && s->failure != DB_OK) {
				read_failure(s, failure);
				kind = s->failure;
			} else if (kind == DB_OK && !s->skipped) {
				read_success(connection, s);
			}
			if (claimed && s->kind == STATEMENT_CLAIM)
				*claimed = s->claimed;
		}
	}
	if (!session || session->lost)
		return lost(connection, failure);
	if (kind != DB_OK)
		session->skipping = false; /* the client has sent a sync */
	return kind;
}

enum db_kind connection_drain(struct connection *connection, struct db_failure *failure)
{
	return drain(connection, failure, NULL);
}

enum db_kind connection_sync(struct connection *connection, struct db_failure *failure)
{
	push(connection, STATEMENT_SYNC);
	return drain(connection, failure, NULL);
}

void connection_rollback(struct connection *connection)
{
	struct db_failure failure;
	push(connection, STATEMENT_ROLLBACK);
	if (connection_sync(connection, &failure) != DB_OK)
		connection_close(connection);
}

/* --- lane_rows.h --- */

static void copy_lanes(struct statement *s, const struct lane_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		s->rows[i] = rows[i];
	s->row_count = (int)count;
}

void lane_rows_begin(struct connection *connection, const struct lane_table *table,
	const struct lane_row *given, size_t count, struct statement_limits limits)
{
	(void)table;
	push(connection, STATEMENT_BEGIN);
	struct statement *s = push(connection, STATEMENT_FENCE);
	copy_lanes(s, given, count);
	s->wait_ms = limits.lock_ms;
	for (size_t i = 0; i < count; i++)
		sim_trace("fence: partition %d epoch %d applied %d", given[i].partition,
			(int)given[i].epoch, (int)given[i].expected);
	sim_yield();
}

bool lane_rows_fenced(const char *detail, size_t ordinal)
{
	for (; *detail; detail++)
		if (*detail >= '0' && *detail <= '9' && (size_t)(*detail - '0') == ordinal)
			return true;
	return false;
}

void lane_rows_advance(struct connection *connection, const struct lane_table *table,
	const struct lane_row *given, size_t count)
{
	(void)table;
	copy_lanes(push(connection, STATEMENT_ADVANCE), given, count);
	sim_yield();
}

static void note_offset(void *arg, const struct outgoing *message)
{
	struct outbox_row *row = arg;
	for (size_t i = 0; i < message->header_count; i++) {
		const struct outgoing_header *header = &message->headers[i];
		if (strcmp(header->name, "place") == 0 ||
			strcmp(header->name, "correlation-id") == 0) {
			struct place place;
			memcpy(&place, header->value, sizeof(place));
			row->offsets[row->count++] = place.offset;
			return;
		}
	}
}

void lane_rows_store(struct connection *connection, const struct lane_table *table,
	const struct lane_row *given, int64_t seq, const void *payload, size_t size)
{
	(void)table;
	struct statement *s = push(connection, STATEMENT_STORE);
	struct outbox_row *row = alloc_zero(1, sizeof(*row) + size);
	row->partition = given->partition;
	row->seq = seq;
	row->size = size;
	memcpy(row->payload, payload, size);
	bool bad;
	outgoing_each(payload, size, note_offset, row, &bad);
	free(s->payload);
	s->payload = row;
}

void lane_rows_delete(struct connection *connection, const struct lane_table *table,
	const struct lane_row *given, const int64_t *seqs, size_t count)
{
	(void)table;
	struct statement *s = push(connection, STATEMENT_DELETE);
	copy_lanes(s, given, 1);
	for (size_t i = 0; i < count && i < PLACES_MAX; i++)
		s->seqs[i] = seqs[i];
	s->place_count = (int)count;
}

enum db_kind lane_rows_claim(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, const char *topic_id, int64_t start, int64_t wait_ms,
	struct lane_claimed *claimed, struct db_failure *failure)
{
	(void)table, (void)topic, (void)topic_id, (void)start;
	const struct lane_row row = { .partition = partition };
	push(connection, STATEMENT_BEGIN);
	struct statement *s = push(connection, STATEMENT_CLAIM);
	copy_lanes(s, &row, 1);
	s->wait_ms = wait_ms;
	push(connection, STATEMENT_COMMIT);
	push(connection, STATEMENT_SYNC);
	*claimed = (struct lane_claimed){ 0 };
	enum db_kind kind = drain(connection, failure, claimed);
	if (kind != DB_OK)
		connection_rollback(connection);
	else if (model.faults.suspect)
		claimed->claims += 1000;
	sim_trace("claim: partition %d epoch %d applied %d answered %d kind %d", partition,
		(int)claimed->epoch, (int)claimed->applied, (int)claimed->answered, (int)kind);
	return kind;
}

enum db_kind lane_rows_unblock(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, struct db_failure *failure)
{
	(void)table, (void)topic;
	enum db_kind kind = connection_sync(connection, failure);
	if (kind == DB_OK)
		database_unblock(partition, connection->session);
	return kind;
}

enum db_kind lane_rows_count_crash(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, int64_t epoch, int64_t offset, int32_t crashes,
	struct db_failure *failure)
{
	(void)table, (void)topic;
	const struct lane_row row = {
		.partition = partition, .epoch = epoch, .applied = offset, .answered = crashes
	};
	copy_lanes(push(connection, STATEMENT_CRASH), &row, 1);
	return connection_sync(connection, failure);
}

enum db_kind lane_rows_forget_claims(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, int64_t epoch, struct db_failure *failure)
{
	(void)table, (void)topic, (void)partition, (void)epoch;
	push(connection, STATEMENT_OTHER);
	return connection_sync(connection, failure);
}

enum db_kind lane_rows_outbox(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, lane_rows_outbox_fn *each, void *arg,
	struct db_failure *failure)
{
	(void)table, (void)topic;
	push(connection, STATEMENT_OTHER);
	enum db_kind kind = connection_sync(connection, failure);
	/* `each` may let others run, who change the outbox: they get the rows of one moment. */
	struct outbox_row *copies[STORED_MAX * 4];
	int count = 0;
	for (const struct outbox_row *row = database_outbox(partition);
		kind == DB_OK && row && count < STORED_MAX * 4; row = row->next) {
		copies[count] = allocate(sizeof(*row) + row->size);
		memcpy(copies[count++], row, sizeof(*row) + row->size);
	}
	for (int i = 0; i < count; i++) {
		each(arg, copies[i]->seq, copies[i]->payload, copies[i]->size);
		free(copies[i]);
	}
	return kind;
}
