/* prune.c - the batches of a table, and the tables of a prune */
#include "db/retention/prune.h"

#include <string.h>

#include "db/connection/params.h"
#include "db/connection/rows.h"
#include "schemas/base/text.h"

/* So often in a row another transaction may be in a batch's way. */
#define TRIES 6
#define RETRY_MS 50
#define MS_US 1000
/* A batch of several rows may run this long; then it is tried again with this part of its rows. A batch of
 * one row has all the time that a statement may take. */
#define BATCH_MS 5000
#define BATCH_PART 4
/* PostgreSQL has no earlier time than 4713 BC. */
#define EARLIEST_MS INT64_C(-210000000000000)

bool prune_can_pass(enum db_kind kind)
{
	return kind == DB_LOST || kind == DB_OUTAGE;
}

bool prune_may(struct prune *prune, int64_t pause_ms)
{
	if (!prune->stopped)
		prune->stopped = !prune->go_on(prune->arg, pause_ms);
	return !prune->stopped;
}

/* --- a statement --- */

static enum db_kind prune_once(struct prune *prune, const struct prune_statement *statement,
	int64_t rows, struct db_failure *failure)
{
	struct statement_limits limits = prune->limits;
	if (rows > 1 && limits.run_ms > BATCH_MS)
		limits.run_ms = BATCH_MS;
	connection_limit_syncs(prune->connection, limits);
	params_reset(prune->params);
	statement->bind(prune->params, statement->arg, rows);
	connection_send_composed(prune->connection, statement->sql, prune->schema, prune->params,
		statement->done, statement->result, NULL);
	params_reset(prune->params);
	return connection_sync(prune->connection, failure);
}

static bool prune_ran_out(const struct db_failure *failure)
{
	return strcmp(failure->sqlstate, "57014") == 0;
}

/* May the statement succeed if it is sent again? Prepares for that. */
static bool prune_again(struct prune *prune, enum db_kind kind, int64_t *rows, int tries,
	const struct db_failure *failure)
{
	if (kind == DB_STALE)
		connection_forget_statements(prune->connection);
	if (prune_ran_out(failure)) {
		bool last = *rows == 1;
		*rows = *rows > BATCH_PART ? *rows / BATCH_PART : 1;
		return !last && prune_may(prune, 0);
	}
	return (kind == DB_STALE || kind == DB_CONTEND) && tries < TRIES &&
		prune_may(prune, (int64_t)RETRY_MS << tries);
}

enum db_kind prune_send(struct prune *prune, const struct prune_statement *statement, int64_t *rows,
	struct db_failure *failure)
{
	enum db_kind kind;
	int tries = 0;
	do
		kind = prune_once(prune, statement, *rows, failure);
	while (kind != DB_OK && prune_again(prune, kind, rows, tries++, failure));
	return kind;
}

/* --- a table --- */

static const char *const cutoffs[] = {
	[ANCHOR_TIMESTAMPTZ] = "$1::timestamptz",
	[ANCHOR_TIMESTAMP] = "$1::timestamptz AT TIME ZONE 'UTC'",
	[ANCHOR_EPOCH_MS] = "$1::int8",
};

/* A batch: chooses the oldest rows, then deletes them with their parts. Returns both counts. */
static void prune_compose(struct buffer *sql, const struct retention_table *t)
{
	text_addf(sql,
		"WITH old AS MATERIALIZED (SELECT c.ctid AS place%s FROM :\"schema\".%s AS c"
		" WHERE c.\"%s\" < %s ORDER BY c.\"%s\" LIMIT $2::int8 FOR UPDATE SKIP LOCKED)",
		t->part ? ", c.id" : "", t->table, t->anchor, cutoffs[t->kind], t->anchor);
	if (t->part)
		text_addf(sql,
			", parts AS (DELETE FROM :\"schema\".%s AS p USING old"
			" WHERE p.\"%s\" = old.id RETURNING 1)",
			t->part, t->part_key);
	text_addf(sql,
		", gone AS (DELETE FROM :\"schema\".%s AS t"
		" WHERE t.ctid = ANY (ARRAY(SELECT old.place FROM old)) RETURNING 1)"
		" SELECT (SELECT count(*) FROM gone), %s",
		t->table, t->part ? "(SELECT count(*) FROM parts)" : "0::int8");
}

/* What binds and receives the batches of a table. */
struct prune_table {
	enum retention_anchor kind;
	int64_t cutoff_ms;
	int64_t deleted, parts; /* by the last batch */
};

static void prune_bind(struct params *params, const void *arg, int64_t rows)
{
	const struct prune_table *table = arg;
	if (table->kind == ANCHOR_EPOCH_MS)
		params_int8(params, table->cutoff_ms);
	else
		params_timestamp_us(params, table->cutoff_ms * MS_US);
	params_int8(params, rows);
}

static void prune_count(void *arg, const struct rows *rows)
{
	struct prune_table *table = arg;
	table->deleted = rows_integer(rows, 0, 0);
	table->parts = rows_integer(rows, 0, 1);
}

/* How many rows the next batch may delete; 0: none. */
static int64_t prune_room(const struct prune_bounds *bounds, const struct prune_item *item,
	int64_t batches, int64_t rows)
{
	int64_t left = bounds->rows < 0 ? rows : bounds->rows - item->deleted;
	if (bounds->batches >= 0 && batches >= bounds->batches)
		return 0;
	return left < rows ? left : rows;
}

static enum db_kind prune_batches(struct prune *prune, struct prune_item *item,
	const struct prune_statement *statement, struct db_failure *failure)
{
	struct prune_table *table = statement->result;
	int64_t rows = item->batch_rows, room;
	for (int64_t batches = 0; (room = prune_room(&prune->bounds, item, batches, rows)) > 0;
		batches++) {
		if (!prune_may(prune, batches ? prune->bounds.pause_ms : 0))
			return DB_OK;
		int64_t wanted = room;
		enum db_kind kind = prune_send(prune, statement, &room, failure);
		if (kind != DB_OK)
			return kind;
		item->deleted += table->deleted;
		item->parts += table->parts;
		item->done = table->deleted < room;
		if (item->done)
			return DB_OK;
		rows = room < wanted ? room : rows;
	}
	return DB_OK;
}

/* As many vectors go as messages could have gone, of each table. */
static int64_t prune_most(const struct prune_bounds *bounds, const struct prune_item *item)
{
	int64_t most = bounds->rows < 0 ? INT64_MAX : bounds->rows;
	if (bounds->batches >= 0 && bounds->batches < most / item->batch_rows)
		most = bounds->batches * item->batch_rows;
	return most;
}

static enum db_kind prune_item_run(struct prune *prune, struct prune_item *item,
	struct db_failure *failure)
{
	struct prune_table table = { .kind = item->table->kind,
		.cutoff_ms = prune->now_ms - item->max_age_ms };
	struct buffer sql = { 0 };
	if (table.cutoff_ms < EARLIEST_MS)
		table.cutoff_ms = EARLIEST_MS;
	if (!prune_may(prune, 0))
		return DB_OK;
	enum db_kind kind = prune_index(prune, item->table, failure);
	if (kind != DB_OK)
		return kind;
	prune_compose(&sql, item->table);
	struct prune_statement statement = { text_string(&sql), prune_bind, &table, prune_count,
		&table };
	kind = prune_batches(prune, item, &statement, failure);
	buffer_free(&sql);
	if (kind == DB_OK && item->table->vectors)
		kind = prune_vectors(prune, prune_most(&prune->bounds, item), failure);
	return kind;
}

/* --- a prune --- */

static void prune_leave_out(struct prune_item *items, size_t count, const char *domain)
{
	for (size_t i = 0; i < count; i++)
		items[i].failed |= strcmp(items[i].table->domain, domain) == 0;
}

enum db_kind prune_run(struct prune *prune, struct prune_item *items, size_t count,
	struct db_failure *failure)
{
	enum db_kind kind = DB_OK;
	prune->stopped = false;
	for (size_t i = 0; i < count && kind == DB_OK; i++) {
		const struct retention_table *table = items[i].table;
		if (items[i].failed)
			continue;
		kind = prune_item_run(prune, &items[i], failure);
		/* go_on said no while a failed batch waited to be tried again. */
		if (prune->stopped && !prune_can_pass(kind))
			kind = DB_OK;
		if (kind == DB_OK || prune_can_pass(kind) || !prune->skip_failed)
			continue;
		prune->warn(prune->arg, "rows that are too old can't be deleted", table->table,
			failure);
		prune_leave_out(items, count, table->domain);
		kind = DB_OK;
	}
	connection_limit_syncs(prune->connection, (struct statement_limits){ 0 });
	return kind;
}
