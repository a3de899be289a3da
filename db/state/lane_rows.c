/* lane_rows.c - the statements on stowage_offsets and stowage_outbox */
#include "db/state/lane_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void lane_rows_bind_text(struct params *params, const char *text)
{
	params_text(params, text, strlen(text));
}

static void lane_rows_bind_topics(struct params *params, const struct lane_row *rows, size_t count)
{
	int array = params_array(params, ELEMENT_TEXT);
	for (size_t i = 0; i < count; i++)
		array_text(params, array, rows[i].topic, strlen(rows[i].topic));
}

static void lane_rows_bind_partitions(struct params *params, const struct lane_row *rows,
	size_t count)
{
	int array = params_array(params, ELEMENT_INT4);
	for (size_t i = 0; i < count; i++)
		array_int4(params, array, rows[i].partition);
}

/* Binds one int8 member of all rows; `member` is its offset in struct lane_row. */
static void lane_rows_bind_longs(struct params *params, const struct lane_row *rows, size_t count,
	size_t member)
{
	int array = params_array(params, ELEMENT_INT8);
	for (size_t i = 0; i < count; i++) {
		int64_t value;
		memcpy(&value, (const char *)&rows[i] + member, sizeof(value));
		array_int8(params, array, value);
	}
}

static void lane_rows_bind_lanes(const struct lane_table *table, const struct lane_row *rows,
	size_t count)
{
	params_reset(table->params);
	lane_rows_bind_text(table->params, table->group);
	lane_rows_bind_topics(table->params, rows, count);
	lane_rows_bind_partitions(table->params, rows, count);
	lane_rows_bind_longs(table->params, rows, count, offsetof(struct lane_row, epoch));
}

static void lane_rows_bind_lane(const struct lane_table *table, const char *topic,
	int32_t partition)
{
	params_reset(table->params);
	lane_rows_bind_text(table->params, table->group);
	lane_rows_bind_text(table->params, topic);
	params_int4(table->params, partition);
}

/* set_config in the same statement acts as SET LOCAL without a statement of its own. Being local, it also
 * works behind a pooler in transaction mode. */
static const char sql_fence[] =
	"SELECT set_config('lock_timeout', $6::text, true),"
	" set_config('statement_timeout', $7::text, true),"
	" set_config('idle_in_transaction_session_timeout', '60s', true),"
	" :\"schema\".stowage_fence($1::text, $2::text[], $3::int4[], $4::int8[], $5::int8[])";

static void lane_rows_bind_ms(struct params *params, int64_t ms)
{
	char text[32];
	snprintf(text, sizeof(text), "%lldms", (long long)ms);
	lane_rows_bind_text(params, text);
}

void lane_rows_begin(struct connection *connection, const struct lane_table *table,
	const struct lane_row *rows, size_t count, struct statement_limits limits)
{
	connection_send(connection, "BEGIN", NULL, NULL, NULL, NULL, NULL);
	lane_rows_bind_lanes(table, rows, count);
	lane_rows_bind_longs(table->params, rows, count, offsetof(struct lane_row, expected));
	lane_rows_bind_ms(table->params, limits.lock_ms);
	lane_rows_bind_ms(table->params, limits.run_ms);
	connection_send(connection, sql_fence, table->schema, table->params, NULL, NULL, NULL);
	params_reset(table->params);
}

bool lane_rows_fenced(const char *detail, size_t ordinal)
{
	if (*detail < '0' || *detail > '9')
		return true;
	for (char *end; *detail; detail = *end ? end + 1 : end) {
		unsigned long long value = strtoull(detail, &end, 10);
		if (value == ordinal)
			return true;
		if (end == detail)
			break;
	}
	return false;
}

static const char sql_advance[] =
	"SELECT :\"schema\".stowage_advance($1::text, $2::text[], $3::int4[], $4::int8[], $5::int8[],"
	" $6::int8[])";

void lane_rows_advance(struct connection *connection, const struct lane_table *table,
	const struct lane_row *rows, size_t count)
{
	lane_rows_bind_lanes(table, rows, count);
	lane_rows_bind_longs(table->params, rows, count, offsetof(struct lane_row, applied));
	lane_rows_bind_longs(table->params, rows, count, offsetof(struct lane_row, answered));
	connection_send(connection, sql_advance, table->schema, table->params, NULL, NULL, NULL);
	params_reset(table->params);
}

static const char sql_store[] =
	"INSERT INTO :\"schema\".stowage_outbox (group_id, topic, partition, seq, payload)"
	" VALUES ($1::text, $2::text, $3::int4, $4::int8, $5::bytea)";

void lane_rows_store(struct connection *connection, const struct lane_table *table,
	const struct lane_row *row, int64_t seq, const void *payload, size_t size)
{
	lane_rows_bind_lane(table, row->topic, row->partition);
	params_int8(table->params, seq);
	params_bytea(table->params, payload, size);
	connection_send(connection, sql_store, table->schema, table->params, NULL, NULL, NULL);
	params_reset(table->params);
}

static const char sql_delete[] =
	"SELECT :\"schema\".stowage_outbox_delete($1::text, $2::text, $3::int4, $4::int8[])";

void lane_rows_delete(struct connection *connection, const struct lane_table *table,
	const struct lane_row *row, const int64_t *seqs, size_t count)
{
	lane_rows_bind_lane(table, row->topic, row->partition);
	int array = params_array(table->params, ELEMENT_INT8);
	for (size_t i = 0; i < count; i++)
		array_int8(table->params, array, seqs[i]);
	connection_send(connection, sql_delete, table->schema, table->params, NULL, NULL, NULL);
	params_reset(table->params);
}

static void lane_rows_read_claimed(void *arg, const struct rows *rows)
{
	struct lane_claimed *claimed = arg;
	claimed->found = rows_count(rows) == 1;
	if (!claimed->found)
		return;
	size_t len;
	claimed->epoch = rows_integer(rows, 0, 0);
	claimed->applied = rows_integer(rows, 0, 1);
	claimed->answered = rows_integer(rows, 0, 2);
	const char *id = rows_text(rows, 0, 3, &len);
	snprintf(claimed->topic_id, sizeof(claimed->topic_id), "%.*s", (int)len, id);
	claimed->claims = (int32_t)rows_integer(rows, 0, 4);
	claimed->crash_count = (int32_t)rows_integer(rows, 0, 5);
	claimed->crash_offset = rows_integer(rows, 0, 6);
}

static const char sql_claim[] =
	"SELECT epoch, applied, answered, topic_id, claims, crash_count, crash_offset"
	" FROM :\"schema\".stowage_claim($1::text, $2::text, $3::int4, $4::text, $5::int8)";

enum db_kind lane_rows_claim(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, const char *topic_id, int64_t start, int64_t wait_ms,
	struct lane_claimed *claimed, struct db_failure *failure)
{
	*claimed = (struct lane_claimed){ 0 };
	connection_send(connection, "BEGIN", NULL, NULL, NULL, NULL, NULL);
	/* Not the role's statement_timeout, which may be shorter than this wait. */
	connection_limit(connection,
		(struct statement_limits){ .run_ms = 2 * wait_ms, .lock_ms = wait_ms });
	lane_rows_bind_lane(table, topic, partition);
	lane_rows_bind_text(table->params, topic_id);
	params_int8(table->params, start);
	connection_send(connection, sql_claim, table->schema, table->params, lane_rows_read_claimed,
		claimed, NULL);
	params_reset(table->params);
	connection_send(connection, "COMMIT", NULL, NULL, NULL, NULL, NULL);
	enum db_kind kind = connection_sync(connection, failure);
	if (kind != DB_OK)
		connection_rollback(connection);
	return kind;
}

static const char sql_unblock[] =
	"SELECT pg_terminate_backend(held.pid) FROM :\"schema\".stowage_offsets AS o"
	" JOIN pg_locks AS held ON held.locktype = 'transactionid' AND held.granted"
	" AND held.transactionid = o.xmax"
	" WHERE o.group_id = $1::text AND o.topic = $2::text AND o.partition = $3::int4";

enum db_kind lane_rows_unblock(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, struct db_failure *failure)
{
	lane_rows_bind_lane(table, topic, partition);
	connection_send(connection, sql_unblock, table->schema, table->params, NULL, NULL, NULL);
	params_reset(table->params);
	return connection_sync(connection, failure);
}

static const char sql_crash[] =
	"UPDATE :\"schema\".stowage_offsets SET crash_offset = $5::int8, crash_count = $6::int4"
	" WHERE group_id = $1::text AND topic = $2::text AND partition = $3::int4"
	" AND epoch = $4::int8";

enum db_kind lane_rows_count_crash(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, int64_t epoch, int64_t offset, int32_t crashes,
	struct db_failure *failure)
{
	lane_rows_bind_lane(table, topic, partition);
	params_int8(table->params, epoch);
	params_int8(table->params, offset);
	params_int4(table->params, crashes);
	connection_send(connection, sql_crash, table->schema, table->params, NULL, NULL, NULL);
	params_reset(table->params);
	return connection_sync(connection, failure);
}

static const char sql_forget_claims[] =
	"UPDATE :\"schema\".stowage_offsets SET claims = 0"
	" WHERE group_id = $1::text AND topic = $2::text AND partition = $3::int4"
	" AND epoch = $4::int8";

enum db_kind lane_rows_forget_claims(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, int64_t epoch, struct db_failure *failure)
{
	lane_rows_bind_lane(table, topic, partition);
	params_int8(table->params, epoch);
	connection_send(connection, sql_forget_claims, table->schema, table->params, NULL, NULL,
		NULL);
	params_reset(table->params);
	return connection_sync(connection, failure);
}

struct outbox_reader {
	lane_rows_outbox_fn *each;
	void *arg;
};

static void lane_rows_read_outbox(void *arg, const struct rows *rows)
{
	const struct outbox_reader *reader = arg;
	for (int i = 0; i < rows_count(rows); i++) {
		size_t size;
		const void *payload = rows_bytes(rows, i, 1, &size);
		reader->each(reader->arg, rows_integer(rows, i, 0), payload, size);
	}
}

static const char sql_outbox[] =
	"SELECT seq, payload FROM :\"schema\".stowage_outbox WHERE group_id = $1::text"
	" AND topic = $2::text AND partition = $3::int4 ORDER BY seq";

enum db_kind lane_rows_outbox(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, lane_rows_outbox_fn *each, void *arg,
	struct db_failure *failure)
{
	struct outbox_reader reader = { each, arg };
	lane_rows_bind_lane(table, topic, partition);
	connection_send(connection, sql_outbox, table->schema, table->params, lane_rows_read_outbox,
		&reader, NULL);
	params_reset(table->params);
	return connection_sync(connection, failure);
}
