/* build_rows.c - the calls of the functions on stowage_vector_builds */
#include "db/state/build_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/connection/statement.h"
#include "schemas/base/text.h"

#define TEXT_MAX 1024

static void build_rows_bind_text(const struct build_table *table, const char *text)
{
	if (text)
		params_text(table->params, text, strlen(text));
	else
		params_null(table->params);
}

static void build_rows_bind_lease(const struct build_table *table)
{
	params_float8(table->params, table->lease_seconds);
}

/* Sends one statement with a sync, so that it is committed when this returns. */
static enum db_kind build_rows_call(const struct build_table *table, const char *sql,
	connection_result_fn *done, void *arg, struct db_failure *failure)
{
	connection_send(table->connection, sql, table->schema, table->params, done, arg, NULL);
	params_reset(table->params);
	return connection_sync(table->connection, failure);
}

static void build_rows_copy_text(char *to, size_t size, const struct rows *rows, int column)
{
	size_t len;
	to[0] = '\0';
	if (rows_null(rows, 0, column))
		return;
	const char *text = rows_text(rows, 0, column, &len);
	snprintf(to, size, "%.*s", (int)len, text);
}

static void build_rows_read_claimed(void *arg, const struct rows *rows)
{
	struct build_row *build = arg;
	build->found = rows_count(rows) == 1;
	if (!build->found)
		return;
	build->id = rows_integer(rows, 0, 0);
	build->token = rows_integer(rows, 0, 1);
	build_rows_copy_text(build->schema, sizeof(build->schema), rows, 2);
	build_rows_copy_text(build->index, sizeof(build->index), rows, 3);
	build->attempts = (int)rows_integer(rows, 0, 4);
}

enum db_kind build_rows_claim(const struct build_table *table, struct build_row *build,
	struct db_failure *failure)
{
	*build = (struct build_row){ 0 };
	params_reset(table->params);
	build_rows_bind_text(table, table->owner);
	build_rows_bind_lease(table);
	return build_rows_call(table,
		"SELECT id, token, schema_name, index_name, attempts FROM "
		":\"schema\".stowage_build_claim($1::text, make_interval(secs => $2::float8))",
		build_rows_read_claimed, build, failure);
}

static int64_t build_rows_number_or_none(const struct rows *rows, int column)
{
	return rows_null(rows, 0, column) ? -1 : rows_integer(rows, 0, column);
}

static void build_rows_read_progress(void *arg, const struct rows *rows)
{
	struct build_progress *progress = arg;
	progress->ours = rows_count(rows) == 1;
	if (!progress->ours)
		return;
	build_rows_copy_text(progress->phase, sizeof(progress->phase), rows, 0);
	progress->done = build_rows_number_or_none(rows, 1);
	progress->total = build_rows_number_or_none(rows, 2);
}

enum db_kind build_rows_renew(const struct build_table *table, const struct build_row *build,
	struct build_progress *progress, struct db_failure *failure)
{
	*progress = (struct build_progress){ .done = -1, .total = -1 };
	params_reset(table->params);
	params_int8(table->params, build->id);
	params_int8(table->params, build->token);
	build_rows_bind_lease(table);
	return build_rows_call(table,
		"SELECT phase, done, total FROM :\"schema\".stowage_build_renew($1::int8, $2::int8, "
		"make_interval(secs => $3::float8))",
		build_rows_read_progress, progress, failure);
}

char *build_rows_step(const struct build_table *table, const struct build_row *build,
	bool leftovers)
{
	struct buffer text = { 0 };
	char *call = statement_text("SELECT :\"schema\".stowage_build_step", table->schema);
	text_addf(&text, "%s(%lld, %s)", call, (long long)build->id, leftovers ? "true" : "false");
	free(call);
	return text_take(&text);
}

char *build_rows_leave(const struct build_table *table, const struct build_row *build)
{
	struct buffer text = { 0 };
	char *call = statement_text("SELECT :\"schema\".stowage_build_end", table->schema);
	text_addf(&text, "%s(%lld, %lld, 'waiting', NULL, NULL, NULL, NULL)", call,
		(long long)build->id, (long long)build->token);
	free(call);
	return text_take(&text);
}

static void build_rows_read_bool(void *arg, const struct rows *rows)
{
	*(bool *)arg = rows_count(rows) == 1 && rows_bool(rows, 0, 0);
}

enum db_kind build_rows_end(const struct build_table *table, const struct build_row *build,
	const struct build_end *end, bool *ours, struct db_failure *failure)
{
	*ours = false;
	params_reset(table->params);
	params_int8(table->params, build->id);
	params_int8(table->params, build->token);
	build_rows_bind_text(table, end->state);
	params_float8(table->params, (double)end->retry_ms / 1000);
	build_rows_bind_text(table, end->category);
	build_rows_bind_text(table, end->code);
	build_rows_bind_text(table, end->message);
	return build_rows_call(table,
		"SELECT :\"schema\".stowage_build_end($1::int8, $2::int8, $3::text, "
		"make_interval(secs => $4::float8), $5::text, $6::text, $7::text)",
		build_rows_read_bool, ours, failure);
}

struct answers_reader {
	build_rows_answers_fn *each;
	void *arg;
};

/* A column with a terminating NUL, valid while the callback runs. */
struct answer_text {
	char text[TEXT_MAX];
};

static const char *build_rows_text_or_none(struct answer_text *text, const struct rows *rows,
	int column)
{
	build_rows_copy_text(text->text, sizeof(text->text), rows, column);
	return rows_null(rows, 0, column) ? NULL : text->text;
}

static void build_rows_read_answers(void *arg, const struct rows *rows)
{
	const struct answers_reader *reader = arg;
	struct answer_text texts[4];
	struct build_answers answers;
	if (rows_count(rows) == 0)
		return;
	answers.id = rows_integer(rows, 0, 0);
	answers.token = rows_integer(rows, 0, 1);
	answers.state = build_rows_text_or_none(&texts[0], rows, 2);
	answers.category = build_rows_text_or_none(&texts[1], rows, 3);
	answers.code = build_rows_text_or_none(&texts[2], rows, 4);
	answers.error = build_rows_text_or_none(&texts[3], rows, 5);
	answers.waiters = rows_bytes(rows, 0, 6, &answers.size);
	reader->each(reader->arg, &answers);
}

enum db_kind build_rows_answers(const struct build_table *table, build_rows_answers_fn *each,
	void *arg, struct db_failure *failure)
{
	struct answers_reader reader = { each, arg };
	params_reset(table->params);
	build_rows_bind_text(table, table->owner);
	build_rows_bind_lease(table);
	return build_rows_call(table,
		"SELECT id, token, state, category, code, error, waiters FROM "
		":\"schema\".stowage_build_answers($1::text, make_interval(secs => $2::float8))",
		build_rows_read_answers, &reader, failure);
}

enum db_kind build_rows_answered(const struct build_table *table, int64_t id, int64_t token,
	int seconds, struct db_failure *failure)
{
	params_reset(table->params);
	params_int8(table->params, id);
	params_int8(table->params, token);
	if (seconds < 0)
		params_null(table->params);
	else
		params_float8(table->params, seconds);
	return build_rows_call(table,
		"SELECT :\"schema\".stowage_build_answered($1::int8, $2::int8, "
		"make_interval(secs => $3::float8))",
		NULL, NULL, failure);
}
