/* idempotency_rows.c - the statements on stowage_idempotency */
#include "db/state/idempotency_rows.h"

#include <string.h>

static void idempotency_rows_bind_keys(const struct idempotency_table *table,
	struct idempotency_key *const *keys, size_t count)
{
	struct params *params = table->params;
	params_reset(params);
	params_text(params, keys[0]->schema, strlen(keys[0]->schema));
	int source = params_array(params, ELEMENT_TEXT);
	int key = params_array(params, ELEMENT_TEXT);
	for (size_t i = 0; i < count; i++) {
		array_text(params, source, keys[i]->source, keys[i]->source_size);
		array_text(params, key, keys[i]->key, keys[i]->key_size);
	}
}

enum { FOUND_PLACE, FOUND_SAME, FOUND_COMMAND, FOUND_REPLY };

static enum idempotency_state idempotency_rows_state(const struct rows *rows, int row)
{
	if (!rows_bool(rows, row, FOUND_SAME))
		return IDEMPOTENCY_OTHER;
	return rows_null(rows, row, FOUND_REPLY) ? IDEMPOTENCY_PENDING : IDEMPOTENCY_REPLIED;
}

static void idempotency_rows_read(void *arg, const struct rows *rows)
{
	const struct idempotency_found *found = arg;
	for (int row = 0; row < rows_count(rows); row++) {
		enum idempotency_state state = idempotency_rows_state(rows, row);
		size_t command_size, reply_size = 0;
		const char *command = rows_text(rows, row, FOUND_COMMAND, &command_size);
		const void *reply = state == IDEMPOTENCY_REPLIED
			? rows_bytes(rows, row, FOUND_REPLY, &reply_size)
			: NULL;
		found->each(found->arg, found->keys[rows_integer(rows, row, FOUND_PLACE) - 1],
			state, command, command_size, reply, reply_size);
	}
}

static const char sql_claim[] =
	"SELECT place, same, command, reply FROM :\"schema\".stowage_idempotency_claim($1::text,"
	" $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bool, $7::int8)";

void idempotency_rows_claim(struct connection *connection, const struct idempotency_table *table,
	struct idempotency_key *const *keys, size_t count, bool claim,
	struct idempotency_found *found)
{
	struct params *params = table->params;
	found->keys = keys;
	idempotency_rows_bind_keys(table, keys, count);
	int command = params_array(params, ELEMENT_TEXT);
	int digest = params_array(params, ELEMENT_BYTEA);
	for (size_t i = 0; i < count; i++) {
		array_text(params, command, keys[i]->command, strlen(keys[i]->command));
		array_bytea(params, digest, keys[i]->digest, IDEMPOTENCY_DIGEST_SIZE);
	}
	params_bool(params, claim);
	params_int8(params, table->keep_ms);
	connection_send(connection, sql_claim, table->schema, params, idempotency_rows_read, found,
		NULL);
	params_reset(params);
}

static const char sql_save[] =
	"SELECT :\"schema\".stowage_idempotency_save($1::text, $2::text[], $3::text[], $4::bytea[],"
	" $5::bool[])";

void idempotency_rows_save(struct connection *connection, const struct idempotency_table *table,
	struct idempotency_key *const *keys, size_t count)
{
	struct params *params = table->params;
	idempotency_rows_bind_keys(table, keys, count);
	int reply = params_array(params, ELEMENT_BYTEA);
	int keep = params_array(params, ELEMENT_BOOL);
	for (size_t i = 0; i < count; i++) {
		if (keys[i]->reply)
			array_bytea(params, reply, keys[i]->reply, keys[i]->reply_size);
		else
			array_null(params, reply);
		array_bool(params, keep, keys[i]->reply || keys[i]->pending);
	}
	connection_send(connection, sql_save, table->schema, params, NULL, NULL, NULL);
	params_reset(params);
}

static void idempotency_rows_read_count(void *arg, const struct rows *rows)
{
	*(int64_t *)arg = rows_integer(rows, 0, 0);
}

static const char sql_expire[] =
	"SELECT :\"schema\".stowage_idempotency_expire($1::int8, $2::int8)";

enum db_kind idempotency_rows_expire(struct connection *connection,
	const struct idempotency_table *table, int64_t most, int64_t *deleted,
	struct db_failure *failure)
{
	*deleted = 0;
	params_reset(table->params);
	params_int8(table->params, table->keep_ms);
	params_int8(table->params, most);
	connection_send(connection, sql_expire, table->schema, table->params,
		idempotency_rows_read_count, deleted, NULL);
	params_reset(table->params);
	return connection_sync(connection, failure);
}
