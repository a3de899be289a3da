/*
 * direct.c - storage.query: SQL of clients, under a role of its own
 *
 * The worker asks the server what the statement takes and returns, and makes a function for it (query.sql): a
 * SECURITY DEFINER function of storage.queryRole. It converts the rows, and hands a failure of the statement over as
 * a row, so that no SQLSTATE that a client chooses steers the worker. A read runs in a transaction, or behind a
 * savepoint, that is rolled back. After a write the session is cleaned of everything that outlives a statement.
 *
 * Between these statements the session finds names in pg_catalog alone: others may own functions in the schema.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/declared.h"
#include "schemas/json/json.h"

#define OID_JSON 114
#define OID_JSONB 3802
#define PARAMS_MAX 1000
#define STATE_SIZE 5 /* a failure begins with its SQLSTATE */
#define SPACE " \t\r\n\f\v"

struct direct {
	struct call *call;
	const char *sql;
	bool reading;
	bool own_transaction; /* no other command shares it */
	bool failed, spoiled, cut;
	const char *settings
		[3];    /* statement_timeout, lock_timeout, idle_in_transaction_session_timeout */
	uint32_t *oids; /* of the parameters; 0: the server infers it */
	uint32_t count;
	struct datum *texts; /* of the parameters, for their types' input functions */
	bool *arrays;        /* which of them are JSON arrays */
	const char **names;  /* of the columns */
	struct datum *types;
	int columns;
	struct datum *rows;
	uint32_t row_count;
	int64_t number;
};

/* --- what is refused before it is sent --- */

/* Skips blanks, comments and opening parentheses. */
static const char *direct_start(const char *sql)
{
	for (;;) {
		sql += strspn(sql, SPACE "(");
		if (strncmp(sql, "--", 2) == 0) {
			sql += strcspn(sql, "\r\n");
		} else if (strncmp(sql, "/*", 2) == 0) {
			size_t depth = 0;
			do {
				bool opens = strncmp(sql, "/*", 2) == 0,
				     closes = strncmp(sql, "*/", 2) == 0;
				depth += opens;
				depth -= closes;
				sql += opens || closes ? 2 : 1;
			} while (depth && *sql);
		} else {
			return sql;
		}
	}
}

static bool direct_begins(const char *sql, const char *const *words)
{
	const char *start = direct_start(sql);
	size_t len = 0;
	while (isalpha((unsigned char)start[len]))
		len++;
	for (size_t i = 0; words[i]; i++)
		if (strlen(words[i]) == len && strncasecmp(words[i], start, len) == 0)
			return true;
	return false;
}

static bool direct_allowed(struct context *ctx, const struct direct *direct)
{
	static const char *const reads[] = { "select", "with", "values", "table", "explain", "show",
		NULL };
	static const char *const writes[] = { "insert", "update", "delete", "merge", "create",
		"alter", "drop", "truncate", "comment", "grant", "revoke", "refresh", "analyze",
		"reindex", NULL };
	if (direct_begins(direct->sql, reads))
		return true;
	bool write = direct_begins(direct->sql, writes);
	if (write && !direct->reading)
		return true;
	if (write)
		call_fail(ctx, direct->call, FAILURE_INVALID, "READ_ONLY", NULL,
			"sql: the statement writes: send readOnly false");
	else
		call_fail(ctx, direct->call, FAILURE_INVALID, "STATEMENT_NOT_ALLOWED", NULL,
			"sql: storage.query runs one SELECT, WITH, VALUES, TABLE, EXPLAIN or SHOW, and "
			"with readOnly false INSERT, UPDATE, DELETE, MERGE, CREATE, ALTER, DROP, TRUNCATE, "
			"COMMENT, GRANT, REVOKE, REFRESH, ANALYZE or REINDEX");
	return false;
}

static bool direct_enabled(struct context *ctx, const struct direct *direct)
{
	enum query_allowed needs = direct->reading ? QUERY_READ : QUERY_WRITE;
	if (ctx->settings->query < needs)
		call_fail(ctx, direct->call, FAILURE_UNSUPPORTED, "QUERY_DISABLED", NULL,
			"the worker runs no such statement: storage.query is \"%s\"",
			ctx->settings->query == QUERY_OFF ? "off" : "read");
	else if (!ctx->settings->query_role)
		call_fail(ctx, direct->call, FAILURE_UNSUPPORTED, "QUERY_ROLE_UNSAFE", NULL,
			"storage.queryRole is not set: the worker's own role could read and change its "
			"own tables");
	else
		return true;
	return false;
}

/* --- parameters --- */

static const struct datum *direct_field(const struct direct *direct, unsigned index)
{
	return datum_field(direct->call->request, index);
}

/* The type that the client gives; "": none. */
static struct datum direct_type(const struct direct *direct, uint32_t index)
{
	const struct datum *types = direct_field(direct, STORAGE_QUERY__TYPES);
	return index < types->size ? types->items[index] : datum_text("", 0);
}

static bool direct_text_param(struct context *ctx, struct direct *direct, uint32_t index,
	const struct datum *given)
{
	struct json value = json_of(given);
	bool typed = direct->oids[index] != 0;
	bool whole = direct->oids[index] == OID_JSON || direct->oids[index] == OID_JSONB;
	enum json_kind kind = json_kind(value);
	direct->arrays[index] = kind == JSON_ARRAY_KIND && !whole;
	direct->texts[index] = *given;
	if (kind == JSON_ARRAY_KIND && !typed) {
		call_fail(ctx, direct->call, FAILURE_INVALID, "PARAMETER_TYPE_MISSING", NULL,
			"params[%u] is an array: name its type in types, such as \"text[]\" or \"jsonb\"",
			index);
		return false;
	}
	if (kind == JSON_OBJECT_KIND && !typed)
		direct->oids[index] = OID_JSONB;
	if (kind == JSON_NULL_KIND && !whole)
		direct->texts[index] = datum_null();
	if (kind == JSON_STRING_KIND && !whole)
		direct->texts[index] = json_unquote(ctx->arena, value);
	return true;
}

/* The texts of the parameters; types are known. */
static bool direct_read_params(struct context *ctx, struct direct *direct)
{
	const struct datum *params = direct_field(direct, STORAGE_QUERY__PARAMS);
	direct->texts = arena_calloc(ctx->arena, params->size + 1, sizeof(*direct->texts));
	direct->arrays = arena_calloc(ctx->arena, params->size + 1, sizeof(*direct->arrays));
	for (uint32_t i = 0; i < params->size; i++) {
		struct datum stored;
		const char *name = arena_printf(ctx->arena, "params[%u]", i);
		if (!binding_json(ctx, direct->call, &params->items[i], name, &stored) ||
			!direct_text_param(ctx, direct, i, &stored))
			return false;
	}
	return true;
}

static bool direct_read_request(struct context *ctx, struct direct *direct)
{
	const struct datum *sql = direct_field(direct, STORAGE_QUERY__SQL);
	const struct datum *limit = direct_field(direct, STORAGE_QUERY__LIMIT);
	const struct datum *timeout = direct_field(direct, STORAGE_QUERY__TIMEOUT_MS);
	uint32_t types = direct_field(direct, STORAGE_QUERY__TYPES)->size;
	direct->count = direct_field(direct, STORAGE_QUERY__PARAMS)->size;
	direct->reading = direct_field(direct, STORAGE_QUERY__READ_ONLY)->boolean;
	if (!direct_enabled(ctx, direct) || !declared_words_ok(ctx, direct->call) ||
		!binding_text_ok(ctx, direct->call, sql, "sql"))
		return false;
	direct->sql = arena_copy(ctx->arena, sql->text, sql->size);
	if (!datum_is_null(limit) && limit->integer < 0)
		call_fail_at(ctx, direct->call, "INVALID_LIMIT", "limit", "it is negative");
	else if (!datum_is_null(timeout) && timeout->integer <= 0)
		call_fail_at(ctx, direct->call, "INVALID_TIMEOUT", "timeoutMs",
			"it is not positive");
	else if (direct->count > PARAMS_MAX || types > direct->count)
		call_fail_at(ctx, direct->call, "INVALID_PARAMETERS", "params",
			"there are more than 1000, or fewer than types");
	else
		return direct_allowed(ctx, direct);
	return false;
}

/* --- the session --- */

static void direct_do(struct context *ctx, const char *sql)
{
	context_send_sql(ctx, sql, NULL, NULL);
}

static void direct_begin(struct context *ctx, const struct direct *direct)
{
	direct_do(ctx, direct->own_transaction ? "BEGIN" : "SAVEPOINT stowage_direct");
}

static void direct_undo(struct context *ctx, const struct direct *direct)
{
	if (direct->own_transaction) {
		direct_do(ctx, "ROLLBACK");
		return;
	}
	direct_do(ctx, "ROLLBACK TO SAVEPOINT stowage_direct");
	direct_do(ctx, "RELEASE SAVEPOINT stowage_direct");
}

static void direct_names(struct context *ctx)
{
	direct_do(ctx, "SET LOCAL search_path = pg_catalog, pg_temp");
}

/* Removes what outlives a statement, and may steer the next one. */
static void direct_clean(struct context *ctx, const struct direct *direct)
{
	static const char *const all[] = { "DISCARD TEMP", "CLOSE ALL", "UNLISTEN *",
		"DISCARD SEQUENCES" };
	if (direct->spoiled)
		context_renew_statements(ctx);
	if (direct->reading || direct->failed)
		direct_undo(ctx, direct);
	if (!direct->reading)
		context_reset_settings(ctx);
	for (size_t i = 0; !direct->reading && i < sizeof(all) / sizeof(all[0]); i++)
		direct_do(ctx, all[i]);
	if (!direct->reading && !direct->failed)
		direct_do(ctx, "RELEASE SAVEPOINT stowage_direct");
	for (size_t i = 0; i < 3; i++)
		params_text(ctx->params, direct->settings[i], strlen(direct->settings[i]));
	context_send(ctx, SQL_STORAGE_QUERY__RESTORE, NULL, NULL);
}

/* --- results --- */

static enum failure_category direct_category(const char *state)
{
	if (strcmp(state, "57014") == 0)
		return FAILURE_TIMEOUT;
	if (strcmp(state, "SW014") == 0)
		return FAILURE_NOT_FOUND;
	if (strncmp(state, "23", 2) == 0 || strcmp(state, "SW015") == 0)
		return FAILURE_CONFLICT;
	if (strncmp(state, "40", 2) == 0 || strncmp(state, "53", 2) == 0 ||
		strcmp(state, "55P03") == 0)
		return FAILURE_UNAVAILABLE;
	return FAILURE_INVALID;
}

static const char *direct_code(const char *state)
{
	static const char *const codes[][2] = { { "57014", "STATEMENT_TIMEOUT" },
		{ "SW011", "REPLY_TOO_LARGE" }, { "SW012", "STATEMENT_NOT_ALLOWED" },
		{ "SW013", "STATEMENT_NOT_ALLOWED" }, { "SW014", "WRONG_NUMBER_OF_ROWS" },
		{ "SW015", "WRONG_NUMBER_OF_ROWS" }, { "25006", "READ_ONLY" } };
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i][0], state) == 0)
			return codes[i][1];
	return "DATABASE_ERROR";
}

static void direct_fail(struct context *ctx, struct direct *direct, const char *text, size_t len)
{
	const char *state = arena_copy(ctx->arena, text, len < STATE_SIZE ? len : STATE_SIZE);
	const char *message = arena_copy(ctx->arena, text + strlen(state), len - strlen(state));
	direct->failed = true;
	call_fail(ctx, direct->call, direct_category(state), direct_code(state),
		arena_printf(ctx->arena, "{\"sqlstate\":\"%s\"}", state), "%s", message);
}

static void direct_take_row(struct context *ctx, struct direct *direct, const struct rows *rows,
	int row)
{
	size_t kind_len, len = 0;
	const char *kind = rows_text(rows, row, 0, &kind_len);
	const char *value = rows_null(rows, row, 1) ? "" : rows_text(rows, row, 1, &len);
	switch (kind[0]) {
	case 'r':
		direct->rows[direct->row_count++] = datum_text(arena_copy(ctx->arena, value, len),
			(uint32_t)len);
		break;
	case 'c':
		direct->cut = true;
		break;
	case 'f':
		direct_fail(ctx, direct, value, len);
		break;
	case 's':
		direct->spoiled = true;
		break;
	default:
		direct->number = strtoll(value, NULL, 10);
		break;
	}
}

static void direct_reply(struct context *ctx, struct direct *direct)
{
	struct datum result[STORAGE_QUERY_RESULT_SIZE];
	struct datum *fields = arena_calloc(ctx->arena, (size_t)direct->columns + 1,
		sizeof(*fields));
	for (int i = 0; i < direct->columns; i++) {
		struct datum *field = arena_calloc(ctx->arena, STORAGE_QUERY_FIELD_SIZE,
			sizeof(*field));
		field[STORAGE_QUERY_FIELD__NAME] = datum_string(direct->names[i]);
		field[STORAGE_QUERY_FIELD__TYPE] = direct->types[i];
		fields[i] = datum_record(field, STORAGE_QUERY_FIELD_SIZE);
	}
	result[STORAGE_QUERY_RESULT__ROWS] = datum_array(direct->rows, direct->row_count);
	result[STORAGE_QUERY_RESULT__ROW_COUNT] = datum_integer(direct->number);
	result[STORAGE_QUERY_RESULT__FIELDS] = datum_array(fields, (uint32_t)direct->columns);
	result[STORAGE_QUERY_RESULT__TRUNCATED] = datum_boolean(direct->cut);
	call_reply(ctx, direct->call, datum_record(result, STORAGE_QUERY_RESULT_SIZE));
}

static void direct_answered(struct context *ctx, const struct rows *rows, void *arg)
{
	struct direct *direct = arg;
	direct->rows = arena_calloc(ctx->arena, (size_t)rows_count(rows) + 1,
		sizeof(*direct->rows));
	for (int i = 0; i < rows_count(rows); i++)
		direct_take_row(ctx, direct, rows, i);
	if (!direct->failed)
		direct_reply(ctx, direct);
	direct->failed |= direct->call->state == CALL_FAILED;
	direct_clean(ctx, direct);
	direct->call->undo = false;
}

/* --- the statement --- */

/* The keys of a row's object. Of columns of one name the last one counts. */
static void direct_bind_keys(struct context *ctx, const struct direct *direct)
{
	int keys = params_array(ctx->params, ELEMENT_TEXT);
	for (int i = 0; i < direct->columns; i++) {
		bool again = false;
		for (int k = i + 1; k < direct->columns && !again; k++)
			again = strcmp(direct->names[i], direct->names[k]) == 0;
		struct json_text key = json_text_new(ctx->arena);
		json_text_string(&key, direct->names[i], strlen(direct->names[i]));
		json_text_puts(&key, ":");
		struct json text = json_text_end(&key);
		if (again)
			array_null(ctx->params, keys);
		else
			array_text(ctx->params, keys, text.text, text.len);
	}
}

static void direct_bind_call(struct context *ctx, const struct direct *direct)
{
	const struct datum *limit = direct_field(direct, STORAGE_QUERY__LIMIT);
	const struct datum *timeout = direct_field(direct, STORAGE_QUERY__TIMEOUT_MS);
	const struct datum *wanted = direct_field(direct, STORAGE_QUERY__ROWS);
	int64_t most = ctx->settings->query_rows;
	if (!datum_is_null(limit) && limit->integer < most)
		most = limit->integer;
	params_text(ctx->params, direct->sql, strlen(direct->sql));
	int texts = params_array(ctx->params, ELEMENT_TEXT);
	for (uint32_t i = 0; i < direct->count; i++)
		bind_element_text(ctx->params, texts, &direct->texts[i]);
	direct_bind_keys(ctx, direct);
	params_int8(ctx->params, most);
	params_int8(ctx->params, (int64_t)ctx->settings->max_reply_bytes);
	if (datum_is_null(timeout))
		params_null(ctx->params);
	else
		params_int8(ctx->params, timeout->integer);
	if (datum_is_null(wanted))
		params_text(ctx->params, "any", 3);
	else
		bind_text(ctx->params, wanted);
	params_bool(ctx->params, direct->reading);
	params_bool(ctx->params, context_retries(ctx) < 5);
}

static const char *direct_copy(struct context *ctx, const struct rows *rows, const char *column)
{
	size_t len;
	const char *text = rows_text(rows, 0, rows_column(rows, column), &len);
	return arena_copy(ctx->arena, text, len);
}

static void direct_composed(struct context *ctx, const struct rows *rows, void *arg)
{
	struct direct *direct = arg;
	const struct datum *timeout = direct_field(direct, STORAGE_QUERY__TIMEOUT_MS);
	struct rows_texts cursor;
	int shown = rows_column(rows, "shown");
	direct->types = arena_calloc(ctx->arena, (size_t)direct->columns + 1,
		sizeof(*direct->types));
	if (direct->columns)
		rows_texts(rows, 0, shown, &cursor);
	for (int i = 0; i < direct->columns; i++) {
		size_t len;
		const char *text = rows_texts_next(&cursor, &len);
		direct->types[i] = datum_text(arena_copy(ctx->arena, text, len), (uint32_t)len);
	}
	direct_do(ctx, direct_copy(ctx, rows, "ddl"));
	direct_do(ctx, direct_copy(ctx, rows, "owner"));
	if (direct->reading)
		direct_do(ctx, "SET LOCAL transaction_read_only = on");
	if (!datum_is_null(timeout)) {
		params_int8(ctx->params, timeout->integer);
		context_send(ctx, SQL_STORAGE_QUERY__TIMEOUT, NULL, NULL);
	}
	direct_bind_call(ctx, direct);
	context_send_sql(ctx,
		"SELECT kind, value FROM pg_temp.stowage_direct($1::text, $2::text[], $3::text[],"
		" $4::int8, $5::int8, $6::int8, $7::text, $8::bool, $9::bool)",
		direct_answered, direct);
}

static void direct_compose(struct context *ctx, const struct direct *direct,
	const struct rows *rows)
{
	int params = params_array(ctx->params, ELEMENT_INT8);
	for (int i = 0; i < rows_params(rows); i++)
		array_int8(ctx->params, params, rows_param_oid(rows, i));
	int columns = params_array(ctx->params, ELEMENT_INT8);
	for (int i = 0; i < direct->columns; i++)
		array_int8(ctx->params, columns, rows_oid(rows, i));
	int arrays = params_array(ctx->params, ELEMENT_BOOL);
	for (uint32_t i = 0; i < direct->count; i++)
		array_bool(ctx->params, arrays, direct->arrays[i]);
	params_text(ctx->params, ctx->schema, strlen(ctx->schema));
	params_text(ctx->params, ctx->settings->query_role, strlen(ctx->settings->query_role));
}

static void direct_described(struct context *ctx, const struct rows *rows, void *arg)
{
	struct direct *direct = arg;
	if (rows_params(rows) != (int)direct->count) {
		call_fail(ctx, direct->call, FAILURE_INVALID, "INVALID_PARAMETERS", NULL,
			"the statement has %d parameters, and params %u", rows_params(rows),
			direct->count);
		direct_undo(ctx, direct);
		return;
	}
	direct->columns = rows_columns(rows);
	direct->names = arena_calloc(ctx->arena, (size_t)direct->columns + 1,
		sizeof(*direct->names));
	for (int i = 0; i < direct->columns; i++)
		direct->names[i] = arena_copy(ctx->arena, rows_name(rows, i),
			strlen(rows_name(rows, i)));
	direct_compose(ctx, direct, rows);
	context_send(ctx, SQL_STORAGE_QUERY__COMPOSE, direct_composed, direct);
}

/* "{0,25,-1}" */
static bool direct_take_oids(struct context *ctx, struct direct *direct, const char *text)
{
	direct->oids = arena_calloc(ctx->arena, direct->count + 1, sizeof(*direct->oids));
	uint32_t types = direct_field(direct, STORAGE_QUERY__TYPES)->size;
	for (uint32_t i = 0; i < types; i++) {
		char *end;
		long long oid = strtoll(text + 1, &end, 10);
		struct datum name = direct_type(direct, i);
		text = end;
		if (oid < 0) {
			call_fail(ctx, direct->call, FAILURE_INVALID, "UNKNOWN_TYPE", NULL,
				"types[%u]: there is no type \"%.*s\"; outside of pg_catalog its name needs "
				"the schema",
				i, (int)(name.size > 200 ? 200 : name.size), name.text);
			return false;
		}
		direct->oids[i] = (uint32_t)oid;
	}
	return true;
}

/* How many types the server gets: up to the last one that is known. So it counts the parameters itself. */
static int direct_typed(const struct direct *direct)
{
	uint32_t count = direct->count;
	while (count > 0 && direct->oids[count - 1] == 0)
		count--;
	return (int)count;
}

static void direct_guarded(struct context *ctx, const struct rows *rows, void *arg)
{
	struct direct *direct = arg;
	static const char *const settings[] = { "run", "lock", "idle" };
	for (size_t i = 0; i < 3; i++)
		direct->settings[i] = direct_copy(ctx, rows, settings[i]);
	if (!rows_null(rows, 0, rows_column(rows, "fault")))
		call_fail(ctx, direct->call, FAILURE_UNSUPPORTED, "QUERY_ROLE_UNSAFE", NULL,
			"storage.queryRole \"%s\" %s", ctx->settings->query_role,
			direct_copy(ctx, rows, "fault"));
	else if (direct_take_oids(ctx, direct, direct_copy(ctx, rows, "oids")) &&
		direct_read_params(ctx, direct)) {
		params_text(ctx->params, ctx->schema, strlen(ctx->schema));
		context_send(ctx, SQL_STORAGE_QUERY__PATH, NULL, NULL);
		context_describe(ctx, direct->sql, direct->oids, direct_typed(direct),
			direct_described, direct);
		direct_names(ctx);
		return;
	}
	direct_undo(ctx, direct);
}

void storage_query(struct context *ctx)
{
	struct direct *direct = arena_calloc(ctx->arena, 1, sizeof(*direct));
	direct->call = ctx->calls[0];
	direct->own_transaction = !ctx->in_transaction;
	if (!direct_read_request(ctx, direct))
		return;
	direct_begin(ctx, direct);
	direct_names(ctx);
	params_text(ctx->params, ctx->settings->query_role, strlen(ctx->settings->query_role));
	bind_texts(ctx->params, direct_field(direct, STORAGE_QUERY__TYPES));
	params_text(ctx->params, context_own_schema(ctx), strlen(context_own_schema(ctx)));
	context_send(ctx, SQL_STORAGE_QUERY__GUARD, direct_guarded, direct);
}
