/*
 * indexes.c - vectors.createIndex, buildIndex, truncateIndex, deleteIndex and describeBuild
 *
 * The batch creates the table. It stores a request for the index, which the index builder of a
 * worker serves on a connection of its own while the partition goes on. The builder replies to the
 * command when the build ends (worker/background/index_builder.h).
 */
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/reply.h"
#include "handlers/domains/vectors/table.h"
#include "schemas/base/xxhash32.h"
#include "schemas/json/json.h"

#define VECTOR_SUFFIX "_vector_idx"
/* Characters for the table's name and the field's hash in the name of a metadata index. */
#define FIELD_NAME_MAX 55
#define FIELDS_MAX 1000

static const struct datum none;

/* A command that asks for an index. */
struct asking {
	struct call *call;
	const char *name;
	struct vectors_config config;
	bool build;
	int64_t dimension;          /* createIndex: the dimension of a new table */
	const struct datum *fields; /* metadata fields to index; null: none */
	bool again;                 /* the extension has just been created */
};

/* ---------------------------------------------------------------- asking for a build */

/* Replies at once unless there is something to build. */
static void vector_indexes_asked(struct context *ctx, const struct rows *rows, void *arg)
{
	if (rows_null(rows, 0, 0))
		call_fail(ctx, arg, FAILURE_UNAVAILABLE, "TOO_MANY_WAITERS", NULL,
			"1000 commands wait for the build of this index already: look at it with "
			"vectors.describeBuild, and send the command again when it has ended");
	else if (rows_bool(rows, 0, 0))
		call_defer(ctx, arg);
	else
		call_reply_null(ctx, arg);
}

static void vector_indexes_add_field(struct context *ctx, struct json_text *wanted,
	const char *table, const struct datum *field)
{
	unsigned number = xxhash32(field->text, field->size);
	const char *hash = arena_printf(ctx->arena, "%x", number);
	json_text_comma(wanted);
	json_text_puts(wanted,
		arena_printf(ctx->arena,
			"{\"name\":\"%.*s_md_%s_idx\",\"method\":\"btree\",\"field\":",
			FIELD_NAME_MAX - (int)strlen(hash), table, hash));
	json_text_string(wanted, field->text, field->size);
	json_text_puts(wanted, "}");
}

static void vector_indexes_ask(struct context *ctx, struct call *call, const struct asking *asking)
{
	struct json_text wanted = json_text_new(ctx->arena);
	size_t size;
	const void *address = call_address(ctx, call, &size);
	json_text_puts(&wanted, "[");
	if (asking->build)
		json_text_puts(&wanted, vectors_config_wanted(ctx, asking->name, &asking->config));
	for (uint32_t i = 0; i < asking->fields->size; i++)
		vector_indexes_add_field(ctx, &wanted, asking->name, &asking->fields->items[i]);
	json_text_puts(&wanted, "]");
	struct json text = json_text_end(&wanted);
	params_text(ctx->params, ctx->schema, strlen(ctx->schema));
	params_text(ctx->params, asking->name, strlen(asking->name));
	params_jsonb(ctx->params, text.text, text.len);
	params_bytea(ctx->params, address, size);
	context_send_own(ctx, SQL_VECTORS_CREATE_INDEX__ASK, vector_indexes_asked, call);
}

/* Checks the request against the table's type and dimension. */
static bool vector_indexes_settle(struct context *ctx, struct call *call, struct asking *asking,
	enum vectors_type type, int64_t dimension)
{
	if (!asking->build)
		return true;
	if (asking->config.method != VECTORS_FLAT &&
		strlen(asking->name) + strlen(VECTOR_SUFFIX) > VECTORS_NAME_MAX) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_INDEX_NAME", NULL,
			"the name of the index (%s" VECTOR_SUFFIX
			") is too long: indexName may have up to 52 characters",
			asking->name);
		return false;
	}
	return vectors_config_settle(ctx, call, type, &asking->config) &&
		vectors_config_dimension_ok(ctx, call, &asking->config, dimension);
}

/* ---------------------------------------------------------------- createIndex */

static bool vector_indexes_extension_ok(struct context *ctx, struct call *call,
	const struct vectors_table *table, enum vectors_type type)
{
	if (!table->home && !table->installable)
		call_fail(ctx, call, FAILURE_UNSUPPORTED, "PGVECTOR_MISSING", NULL,
			"this database has no extension vector, and this user can't create it: ask an "
			"administrator to run CREATE EXTENSION vector");
	else if (!table->modern && type != VECTORS_VECTOR)
		call_fail(ctx, call, FAILURE_UNSUPPORTED, "VECTOR_TYPE_NOT_SUPPORTED", NULL,
			"the vectorType %s needs pgvector 0.7.0 or later: upgrade it (ALTER EXTENSION vector "
			"UPDATE) or use the vectorType vector",
			vectors_type_names[type]);
	else
		return true;
	return false;
}

static void vector_indexes_created(struct context *ctx, void *arg)
{
	const struct asking *asking = arg;
	if (asking->build || asking->fields->size)
		vector_indexes_ask(ctx, asking->call, asking);
	else
		call_reply_null(ctx, asking->call);
}

static void vector_indexes_create(struct context *ctx, struct call *call,
	const struct vectors_table *table, void *arg)
{
	struct asking *asking = arg;
	enum vectors_type type = table->vectors ? table->type : asking->config.type;
	int64_t dimension = table->vectors ? table->dimension : asking->dimension;
	if ((table->present && !vectors_table_ok(ctx, call, table)) ||
		!vector_indexes_extension_ok(ctx, call, table, type) ||
		!vector_indexes_settle(ctx, call, asking, type, dimension))
		return;
	if (!table->home && !asking->again) {
		asking->again = true;
		vectors_table_install(ctx);
		vectors_table_find(ctx, call,
			datum_field(call->request, VECTORS_CREATE_INDEX__INDEX_NAME),
			vector_indexes_create, asking);
		return;
	}
	vectors_table_create(ctx, table, type, (int32_t)dimension, vector_indexes_created, asking);
}

static bool vector_indexes_fields_ok(struct context *ctx, struct call *call,
	const struct datum *fields)
{
	if (!datum_is_null(fields) && fields->size > FIELDS_MAX) {
		call_fail(ctx, call, FAILURE_INVALID, "TOO_MANY_INDEXES", NULL,
			"metadataIndexes has more than %d fields", FIELDS_MAX);
		return false;
	}
	for (uint32_t i = 0; !datum_is_null(fields) && i < fields->size; i++)
		if (!binding_text_ok(ctx, call, &fields->items[i], "metadataIndexes"))
			return false;
	return true;
}

/* Checks the request by itself. An existing table may have another type and dimension. */
static bool vector_indexes_request_ok(struct context *ctx, struct call *call,
	const struct asking *asking)
{
	struct vectors_config config = asking->config;
	return vectors_dimension_ok(ctx, call, config.type, asking->dimension) &&
		vectors_config_settle(ctx, call, config.type, &config) &&
		vector_indexes_fields_ok(ctx, call, asking->fields);
}

static struct asking *vector_indexes_asking_new(struct context *ctx, struct call *call,
	const struct datum *name)
{
	struct asking *asking = arena_calloc(ctx->arena, 1, sizeof(*asking));
	asking->call = call;
	asking->name = arena_copy(ctx->arena, name->text, name->size);
	asking->fields = &none;
	asking->build = true;
	return asking;
}

/* ---------------------------------------------------------------- repeated commands */

typedef void ask_fn(struct context *ctx, struct asking *asking);

struct repeat {
	struct asking *asking;
	ask_fn *ask;
};

/* A build that has not failed is pending or done: an empty wish only waits for its end. */
static void vector_indexes_repeat(struct context *ctx, const struct rows *rows, void *arg)
{
	const struct repeat *repeat = arg;
	const struct asking wait = { .name = repeat->asking->name, .fields = &none };
	if (rows_bool(rows, 0, 0))
		repeat->ask(ctx, repeat->asking);
	else
		vector_indexes_ask(ctx, repeat->asking->call, &wait);
}

/* Starts the command; a repeated one must not create its table or index again. */
static void vector_indexes_start(struct context *ctx, struct asking *asking, ask_fn *ask)
{
	if (!asking->call->repeated) {
		ask(ctx, asking);
		return;
	}
	struct repeat *repeat = arena_alloc(ctx->arena, sizeof(*repeat));
	*repeat = (struct repeat){ asking, ask };
	params_text(ctx->params, ctx->schema, strlen(ctx->schema));
	params_text(ctx->params, asking->name, strlen(asking->name));
	context_send_own(ctx, SQL_VECTORS_CREATE_INDEX__REPEAT, vector_indexes_repeat, repeat);
}

/* ---------------------------------------------------------------- the request of createIndex */

static void vector_indexes_ask_create(struct context *ctx, struct asking *asking)
{
	vectors_table_find(ctx, asking->call,
		datum_field(asking->call->request, VECTORS_CREATE_INDEX__INDEX_NAME),
		vector_indexes_create, asking);
}

void vectors_create_index(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	const struct datum *name = datum_field(request, VECTORS_CREATE_INDEX__INDEX_NAME);
	const struct datum *build = datum_field(request, VECTORS_CREATE_INDEX__BUILD_INDEX);
	const struct datum *fields = datum_field(request, VECTORS_CREATE_INDEX__METADATA_INDEXES);
	struct asking *asking = vector_indexes_asking_new(ctx, call, name);
	asking->build = datum_is_null(build) || build->boolean;
	asking->dimension = datum_field(request, VECTORS_CREATE_INDEX__DIMENSION)->integer;
	asking->fields = datum_is_null(fields) ? &none : fields;
	if (vectors_config_read(ctx, call, datum_field(request, VECTORS_CREATE_INDEX__METRIC),
		    datum_field(request, VECTORS_CREATE_INDEX__VECTOR_TYPE),
		    datum_field(request, VECTORS_CREATE_INDEX__INDEX_CONFIG), &asking->config) &&
		vector_indexes_request_ok(ctx, call, asking))
		vector_indexes_start(ctx, asking, vector_indexes_ask_create);
}

/* ---------------------------------------------------------------- buildIndex */

static void vector_indexes_build(struct context *ctx, struct call *call,
	const struct vectors_table *table, void *arg)
{
	struct asking *asking = arg;
	if (vectors_table_ok(ctx, call, table) &&
		vector_indexes_settle(ctx, call, asking, table->type, table->dimension))
		vector_indexes_ask(ctx, call, asking);
}

static void vector_indexes_ask_build(struct context *ctx, struct asking *asking)
{
	vectors_table_find(ctx, asking->call,
		datum_field(asking->call->request, VECTORS_BUILD_INDEX__INDEX_NAME),
		vector_indexes_build, asking);
}

void vectors_build_index(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	const struct datum *name = datum_field(request, VECTORS_BUILD_INDEX__INDEX_NAME);
	struct asking *asking = vector_indexes_asking_new(ctx, call, name);
	if (vectors_config_read(ctx, call, datum_field(request, VECTORS_BUILD_INDEX__METRIC),
		    datum_field(request, VECTORS_BUILD_INDEX__VECTOR_TYPE),
		    datum_field(request, VECTORS_BUILD_INDEX__INDEX_CONFIG), &asking->config))
		vector_indexes_start(ctx, asking, vector_indexes_ask_build);
}

/* ---------------------------------------------------------------- deleteIndex, truncateIndex */

static void vector_indexes_done(struct context *ctx, const struct rows *rows, void *arg)
{
	(void)rows;
	call_reply_null(ctx, arg);
}

/* Cancels the build. Its builder would hold the lock that the next statement needs. */
static void vector_indexes_send_cancel(struct context *ctx, const char *name, bool again,
	const char *error)
{
	params_text(ctx->params, ctx->schema, strlen(ctx->schema));
	params_text(ctx->params, name, strlen(name));
	params_bool(ctx->params, again);
	if (error) {
		params_text(ctx->params, "CONFLICT", strlen("CONFLICT"));
		params_text(ctx->params, "BUILD_CANCELLED", strlen("BUILD_CANCELLED"));
		params_text(ctx->params, error, strlen(error));
	} else {
		params_null(ctx->params);
		params_null(ctx->params);
		params_null(ctx->params);
	}
	context_send_own(ctx, SQL_VECTORS_CREATE_INDEX__CANCEL, NULL, NULL);
}

static void vector_indexes_drop(struct context *ctx, struct call *call,
	const struct vectors_table *table, void *arg)
{
	(void)arg;
	if (table->present && !vectors_table_ok(ctx, call, table))
		return;
	vector_indexes_send_cancel(ctx, table->name, false,
		arena_printf(ctx->arena, "the index %s was deleted before it was built",
			table->name));
	context_send_sql(ctx,
		arena_printf(ctx->arena, "DROP TABLE IF EXISTS %s CASCADE", table->quoted),
		vector_indexes_done, call);
}

void vectors_delete_index(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	vectors_table_find(ctx, call, datum_field(call->request, VECTORS_DELETE_INDEX__INDEX_NAME),
		vector_indexes_drop, NULL);
}

static void vector_indexes_empty(struct context *ctx, struct call *call,
	const struct vectors_table *table, void *arg)
{
	(void)arg;
	if (!vectors_table_ok(ctx, call, table))
		return;
	vector_indexes_send_cancel(ctx, table->name, true, NULL);
	context_send_sql(ctx, arena_printf(ctx->arena, "TRUNCATE %s", table->quoted),
		vector_indexes_done, call);
}

void vectors_truncate_index(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	vectors_table_find(ctx, call,
		datum_field(call->request, VECTORS_TRUNCATE_INDEX__INDEX_NAME),
		vector_indexes_empty, NULL);
}

/* ---------------------------------------------------------------- describeBuild */

static void vector_indexes_described(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	if (rows_count(rows) == 0)
		call_reply_null(ctx, call);
	else
		call_reply(ctx, call, reply_row(ctx, rows, 0, reply_result_type(call)));
}

void vectors_describe_build(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *name = datum_field(call->request, VECTORS_DESCRIBE_BUILD__INDEX_NAME);
	if (!vectors_name_ok(ctx, call, name))
		return;
	params_text(ctx->params, ctx->schema, strlen(ctx->schema));
	bind_text(ctx->params, name);
	context_send_own(ctx, SQL_VECTORS_DESCRIBE_BUILD, vector_indexes_described, call);
}
