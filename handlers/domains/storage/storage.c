/* storage.c - the storage domain: commands about the worker and the tables */
#include <stdlib.h>
#include <string.h>

#include "commands.gen.h"
#include "db/migrate/ddl.h"
#include "fields.gen.h"
#include "handlers/core/context.h"
#include "handlers/core/reply.h"

/* ---------------------------------------------------------------- ping */

static void storage_pinged(struct context *ctx, const struct rows *rows, void *arg)
{
	struct datum fields[STORAGE_PING_RESULT_SIZE];

	fields[STORAGE_PING_RESULT__VERSION] = datum_string(ctx->settings->version);
	fields[STORAGE_PING_RESULT__SCHEMA_NAME] = datum_string(ctx->schema);
	fields[STORAGE_PING_RESULT__TIME] = datum_integer(rows_time_ms(rows, 0, 0));
	call_reply(ctx, arg, datum_record(fields, STORAGE_PING_RESULT_SIZE));
}

void storage_ping(struct context *ctx)
{
	context_send(ctx, SQL_STORAGE_PING, storage_pinged, ctx->calls[0]);
}

/* ---------------------------------------------------------------- init */

void storage_init(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	struct datum fields[STORAGE_INIT_RESULT_SIZE];
	int64_t statements = 0;

	if (!context_init_storage(ctx, call, &statements))
		return;
	fields[STORAGE_INIT_RESULT__STATEMENTS] = datum_integer(statements);
	call_reply(ctx, call, datum_record(fields, STORAGE_INIT_RESULT_SIZE));
}

/* ---------------------------------------------------------------- transaction */

/* The engine has run the commands: the reply holds theirs. */
void storage_transaction(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	struct datum *replies = arena_calloc(ctx->arena, call->inner_count + 1, sizeof(*replies));

	for (size_t i = 0; i < call->inner_count && call->wants_reply; i++)
		replies[i] = datum_text(call->inner[i].reply, (uint32_t)call->inner[i].reply_size);
	call_reply(ctx, call, datum_array(replies, (uint32_t)call->inner_count));
}

/* ---------------------------------------------------------------- exportSchemas */

#define EXPORT_SCHEMAS_MAX 64 /* the DDL of one schema takes about 45 kB */

static bool storage_name_ok(struct context *ctx, struct call *call, const char *name, size_t len)
{
	if (strlen(name) == len && ddl_schema_valid(name))
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_SCHEMA_NAME", NULL,
		"schemaNames: \"%s\" is not a valid schema name", name);
	return false;
}

/* Reads the names as strings; without any, the worker's own schema. NULL: the call has failed. */
static const char *const *storage_read_names(struct context *ctx, struct call *call, size_t *count)
{
	const struct datum *given = datum_field(call->request,
		STORAGE_EXPORT_SCHEMAS__SCHEMA_NAMES);
	const char **names = arena_calloc(ctx->arena, (size_t)given->size + 1, sizeof(*names));

	if (given->size > EXPORT_SCHEMAS_MAX) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_SCHEMA_NAME", NULL,
			"schemaNames holds more than %d names", EXPORT_SCHEMAS_MAX);
		return NULL;
	}
	names[0] = ctx->schema;
	for (uint32_t i = 0; i < given->size; i++) {
		const struct datum *name = &given->items[i];
		names[i] = arena_copy(ctx->arena, name->text, name->size);
		if (!storage_name_ok(ctx, call, names[i], name->size))
			return NULL;
	}
	*count = given->size ? given->size : 1;
	return names;
}

void storage_export_schemas(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	size_t count = 0;
	const char *const *names = storage_read_names(ctx, call, &count);

	if (!names)
		return;
	char *ddl = ddl_export(names, count);
	call_reply(ctx, call, datum_string(ddl));
	free(ddl);
}
