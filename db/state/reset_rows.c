/* reset_rows.c - records where a group starts in topics that are new to it */
#include "db/state/reset_rows.h"

#include <string.h>

static const char sql_meet[] =
	"SELECT :\"schema\".stowage_meet($1::text, $2::text[], $3::text[], $4::text[], $5::int4[],"
	" $6::text[], $7::int8[])";

static void reset_rows_bind_texts(struct params *params, const char *const *texts, size_t count)
{
	int array = params_array(params, ELEMENT_TEXT);
	for (size_t i = 0; i < count; i++)
		array_text(params, array, texts[i], strlen(texts[i]));
}

static void reset_rows_bind(struct params *params, const struct reset_row *rows, size_t count)
{
	int topics = params_array(params, ELEMENT_TEXT);
	for (size_t i = 0; i < count; i++)
		array_text(params, topics, rows[i].topic, strlen(rows[i].topic));
	int partitions = params_array(params, ELEMENT_INT4);
	for (size_t i = 0; i < count; i++)
		array_int4(params, partitions, rows[i].partition);
	int ids = params_array(params, ELEMENT_TEXT);
	for (size_t i = 0; i < count; i++)
		array_text(params, ids, rows[i].topic_id, strlen(rows[i].topic_id));
	int ends = params_array(params, ELEMENT_INT8);
	for (size_t i = 0; i < count; i++)
		array_int8(params, ends, rows[i].end);
}

enum db_kind reset_rows_meet(struct connection *connection, const struct lane_table *table,
	const struct reset_rows *rows, struct db_failure *failure)
{
	params_reset(table->params);
	params_text(table->params, table->group, strlen(table->group));
	reset_rows_bind_texts(table->params, rows->topics, rows->topic_count);
	reset_rows_bind_texts(table->params, rows->named, rows->named_count);
	reset_rows_bind(table->params, rows->rows, rows->row_count);
	connection_send(connection, sql_meet, table->schema, table->params, NULL, NULL, NULL);
	params_reset(table->params);
	return connection_sync(connection, failure);
}
