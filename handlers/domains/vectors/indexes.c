/*
 * The vectors domain: making, building, emptying and dropping indexes.
 *
 * A table is made in the batch. Its index is asked for there and built by a worker's builder, on a
 * connection of its own, while the lane goes on; the command is answered when that ends.
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
/* Of a table's name, in the names of its metadata indexes, together with the field's hash. */
#define FIELD_NAME_MAX 55
#define FIELDS_MAX 1000

static const struct datum none;

/* A command that asks for an index. */
struct asking {
	struct call *call;
	const char *name;
	struct vectors_config config;
	bool build;
	int64_t dimension;          /* createIndex: of the table, if it is made */
	const struct datum *fields; /* metadata fields to be indexed; null */
	bool again;                 /* the extension was made meanwhile */
};

/* --- asking for a build --- */

/* A reply that comes at once, unless there is something to be built. */
static void asked(struct turn *turn, const struct rows *rows, void *arg)
{
	if (rows_bool(rows, 0, 0))
		call_defer(turn, arg);
	else
		call_reply_null(turn, arg);
}

static void add_field(struct turn *turn, struct json_text *wanted, const char *table,
	const struct datum *field)
{
	unsigned number = xxhash32(field->text, field->size);
	const char *hash = arena_printf(turn->arena, "%x", number);
	json_text_comma(wanted);
	json_text_puts(wanted,
		arena_printf(turn->arena,
			"{\"name\":\"%.*s_md_%s_idx\",\"method\":\"btree\",\"field\":",
			FIELD_NAME_MAX - (int)strlen(hash), table, hash));
	json_text_string(wanted, field->text, field->size);
	json_text_puts(wanted, "}");
}

static void ask(struct turn *turn, struct call *call, const struct asking *asking)
{
	struct json_text wanted = json_text_new(turn->arena);
	size_t size;
	const void *address = call_address(turn, call, &size);
	json_text_puts(&wanted, "[");
	if (asking->build)
		json_text_puts(&wanted, vectors_config_wanted(turn, asking->name, &asking->config));
	for (uint32_t i = 0; i < asking->fields->size; i++)
		add_field(turn, &wanted, asking->name, &asking->fields->items[i]);
	json_text_puts(&wanted, "]");
	struct json text = json_text_end(&wanted);
	params_text(turn->params, turn->schema, strlen(turn->schema));
	params_text(turn->params, asking->name, strlen(asking->name));
	params_jsonb(turn->params, text.text, text.len);
	params_bytea(turn->params, address, size);
	turn_send(turn, SQL_VECTORS_CREATE_INDEX__ASK, asked, call);
}

/* What is asked for, against the table's own type and dimension. */
static bool settle(struct turn *turn, struct call *call, struct asking *asking,
	enum vectors_type type, int64_t dimension)
{
	if (!asking->build)
		return true;
	if (asking->config.method != VECTORS_FLAT &&
		strlen(asking->name) + strlen(VECTOR_SUFFIX) > VECTORS_NAME_MAX) {
		call_fail(turn, call, FAILURE_INVALID, "INVALID_INDEX_NAME", NULL,
			"indexName leaves no room for the name of its index (%s" VECTOR_SUFFIX
			"): 52 characters at most",
			asking->name);
		return false;
	}
	return vectors_config_settle(turn, call, type, &asking->config) &&
		vectors_config_dimension_ok(turn, call, &asking->config, dimension);
}

/* --- createIndex --- */

static bool extension_ok(struct turn *turn, struct call *call, const struct vectors_table *table,
	enum vectors_type type)
{
	if (!table->home && !table->installable)
		call_fail(turn, call, FAILURE_UNSUPPORTED, "PGVECTOR_MISSING", NULL,
			"the extension vector is not in this database and this user can't make it: have an "
			"administrator run CREATE EXTENSION vector");
	else if (!table->modern && type != VECTORS_VECTOR)
		call_fail(turn, call, FAILURE_UNSUPPORTED, "VECTOR_TYPE_NOT_SUPPORTED", NULL,
			"the vectorType %s needs pgvector 0.7.0 or later: upgrade it (ALTER EXTENSION vector "
			"UPDATE) or use vector",
			vectors_type_names[type]);
	else
		return true;
	return false;
}

static void made(struct turn *turn, void *arg)
{
	const struct asking *asking = arg;
	if (asking->build || asking->fields->size)
		ask(turn, asking->call, asking);
	else
		call_reply_null(turn, asking->call);
}

static void create(struct turn *turn, struct call *call, const struct vectors_table *table,
	void *arg)
{
	struct asking *asking = arg;
	enum vectors_type type = table->vectors ? table->type : asking->config.type;
	int64_t dimension = table->vectors ? table->dimension : asking->dimension;
	if ((table->present && !vectors_table_ok(turn, call, table)) ||
		!extension_ok(turn, call, table, type) ||
		!settle(turn, call, asking, type, dimension))
		return;
	if (!table->home && !asking->again) {
		asking->again = true;
		vectors_table_install(turn);
		vectors_table_look(turn, call,
			datum_field(call->request, VECTORS_CREATE_INDEX__INDEX_NAME), create,
			asking);
		return;
	}
	vectors_table_make(turn, table, type, (int32_t)dimension, made, asking);
}

static bool fields_ok(struct turn *turn, struct call *call, const struct datum *fields)
{
	if (!datum_is_null(fields) && fields->size > FIELDS_MAX) {
		call_fail(turn, call, FAILURE_INVALID, "TOO_MANY_INDEXES", NULL,
			"metadataIndexes holds more than %d fields", FIELDS_MAX);
		return false;
	}
	for (uint32_t i = 0; !datum_is_null(fields) && i < fields->size; i++)
		if (!binding_text_ok(turn, call, &fields->items[i], "metadataIndexes"))
			return false;
	return true;
}

/* The request alone, against what is known without looking; a table that is there may have
 * another type and dimension. */
static bool request_ok(struct turn *turn, struct call *call, const struct asking *asking)
{
	struct vectors_config config = asking->config;
	return vectors_dimension_ok(turn, call, config.type, asking->dimension) &&
		vectors_config_settle(turn, call, config.type, &config) &&
		fields_ok(turn, call, asking->fields);
}

static struct asking *asking_new(struct turn *turn, struct call *call, const struct datum *name)
{
	struct asking *asking = arena_calloc(turn->arena, 1, sizeof(*asking));
	asking->call = call;
	asking->name = arena_copy(turn->arena, name->text, name->size);
	asking->fields = &none;
	asking->build = true;
	return asking;
}

void vectors_create_index(struct turn *turn)
{
	struct call *call = turn->calls[0];
	const struct datum *request = call->request;
	const struct datum *name = datum_field(request, VECTORS_CREATE_INDEX__INDEX_NAME);
	const struct datum *build = datum_field(request, VECTORS_CREATE_INDEX__BUILD_INDEX);
	const struct datum *fields = datum_field(request, VECTORS_CREATE_INDEX__METADATA_INDEXES);
	struct asking *asking = asking_new(turn, call, name);
	asking->build = datum_is_null(build) || build->boolean;
	asking->dimension = datum_field(request, VECTORS_CREATE_INDEX__DIMENSION)->integer;
	asking->fields = datum_is_null(fields) ? &none : fields;
	if (vectors_config_read(turn, call, datum_field(request, VECTORS_CREATE_INDEX__METRIC),
		    datum_field(request, VECTORS_CREATE_INDEX__VECTOR_TYPE),
		    datum_field(request, VECTORS_CREATE_INDEX__INDEX_CONFIG), &asking->config) &&
		request_ok(turn, call, asking))
		vectors_table_look(turn, call, name, create, asking);
}

/* --- buildIndex --- */

static void build(struct turn *turn, struct call *call, const struct vectors_table *table,
	void *arg)
{
	struct asking *asking = arg;
	if (vectors_table_ok(turn, call, table) &&
		settle(turn, call, asking, table->type, table->dimension))
		ask(turn, call, asking);
}

void vectors_build_index(struct turn *turn)
{
	struct call *call = turn->calls[0];
	const struct datum *request = call->request;
	const struct datum *name = datum_field(request, VECTORS_BUILD_INDEX__INDEX_NAME);
	struct asking *asking = asking_new(turn, call, name);
	if (vectors_config_read(turn, call, datum_field(request, VECTORS_BUILD_INDEX__METRIC),
		    datum_field(request, VECTORS_BUILD_INDEX__VECTOR_TYPE),
		    datum_field(request, VECTORS_BUILD_INDEX__INDEX_CONFIG), &asking->config))
		vectors_table_look(turn, call, name, build, asking);
}

/* --- deleteIndex, truncateIndex --- */

static void done(struct turn *turn, const struct rows *rows, void *arg)
{
	(void)rows;
	call_reply_null(turn, arg);
}

/* Takes the index from its builder, who would hold the lock that is needed next. */
static void send_cancel(struct turn *turn, const char *name, bool again, const char *error)
{
	params_text(turn->params, turn->schema, strlen(turn->schema));
	params_text(turn->params, name, strlen(name));
	params_bool(turn->params, again);
	if (error) {
		params_text(turn->params, "CONFLICT", strlen("CONFLICT"));
		params_text(turn->params, "BUILD_CANCELLED", strlen("BUILD_CANCELLED"));
		params_text(turn->params, error, strlen(error));
	} else {
		params_null(turn->params);
		params_null(turn->params);
		params_null(turn->params);
	}
	turn_send(turn, SQL_VECTORS_CREATE_INDEX__CANCEL, NULL, NULL);
}

static void drop(struct turn *turn, struct call *call, const struct vectors_table *table, void *arg)
{
	(void)arg;
	if (table->present && !vectors_table_ok(turn, call, table))
		return;
	send_cancel(turn, table->name, false,
		arena_printf(turn->arena, "the index %s was deleted before it was built",
			table->name));
	turn_send_sql(turn,
		arena_printf(turn->arena, "DROP TABLE IF EXISTS %s CASCADE", table->quoted), done,
		call);
}

void vectors_delete_index(struct turn *turn)
{
	struct call *call = turn->calls[0];
	vectors_table_look(turn, call, datum_field(call->request, VECTORS_DELETE_INDEX__INDEX_NAME),
		drop, NULL);
}

static void empty(struct turn *turn, struct call *call, const struct vectors_table *table,
	void *arg)
{
	(void)arg;
	if (!vectors_table_ok(turn, call, table))
		return;
	send_cancel(turn, table->name, true, NULL);
	turn_send_sql(turn, arena_printf(turn->arena, "TRUNCATE %s", table->quoted), done, call);
}

void vectors_truncate_index(struct turn *turn)
{
	struct call *call = turn->calls[0];
	vectors_table_look(turn, call,
		datum_field(call->request, VECTORS_TRUNCATE_INDEX__INDEX_NAME), empty, NULL);
}

/* --- describeBuild --- */

static void described(struct turn *turn, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	if (rows_count(rows) == 0)
		call_reply_null(turn, call);
	else
		call_reply(turn, call, reply_row(turn, rows, 0, reply_result_type(call)));
}

void vectors_describe_build(struct turn *turn)
{
	struct call *call = turn->calls[0];
	const struct datum *name = datum_field(call->request, VECTORS_DESCRIBE_BUILD__INDEX_NAME);
	if (!vectors_name_ok(turn, call, name))
		return;
	params_text(turn->params, turn->schema, strlen(turn->schema));
	bind_text(turn->params, name);
	turn_send(turn, SQL_VECTORS_DESCRIBE_BUILD, described, call);
}
