/* datasets.c - datasets.createDataset and updateDataset: the commands that set a dataset's schemas */
#include <stdio.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/declared.h"
#include "handlers/core/reply.h"
#include "handlers/domains/datasets/fit.h"

/* --- createDataset --- */

static bool create_id_ok(struct context *ctx, struct call *call)
{
	const struct datum *id = datum_field(call->request, DATASETS_CREATE_DATASET__ID);

	if (datum_is_null(id) || id->size)
		return true;
	call_fail_at(ctx, call, "DATASET_INVALID_ID", "id", "must not be empty");
	return false;
}

static bool create_ok(struct context *ctx, struct call *call)
{
	struct fit unused;

	return create_id_ok(ctx, call) &&
		fit_compile(ctx, call,
			datum_field(call->request, DATASETS_CREATE_DATASET__INPUT_SCHEMA),
			datum_field(call->request, DATASETS_CREATE_DATASET__GROUND_TRUTH_SCHEMA),
			&unused);
}

void datasets_create(struct context *ctx)
{
	for (size_t i = 0; i < ctx->count; i++)
		(void)!create_ok(ctx, ctx->calls[i]);
	handle_folded(ctx);
}

/* --- updateDataset --- */

/* Items that do not fit, at most. */
#define UPDATE_MISFITS 10

/* A dataset whose schemas change: its items are checked before it is written. */
struct update {
	struct call *call;
	struct fit fit;
	uint32_t index; /* of the next item, newest first */
	uint32_t misfits;
	struct json_text details; /* {"items": [ of those that do not fit */
};

static void update_written(struct context *ctx, const struct rows *rows, void *arg)
{
	declared_reply(ctx, arg, rows, 0, rows_count(rows));
}

static void update_write(struct context *ctx, struct call *call)
{
	if (declared_bind(ctx, call, SQL_DATASETS_UPDATE_DATASET__WRITE, NULL))
		context_send(ctx, SQL_DATASETS_UPDATE_DATASET__WRITE, update_written, call);
}

/* The first row's value; absent for SQL's NULL. */
static struct json update_value(const struct rows *rows, enum fit_field field)
{
	int column = rows_column(rows, fit_field_name(field));
	struct json value = { 0 };

	if (!rows_null(rows, 0, column))
		value.text = rows_text(rows, 0, column, &value.len);
	return value;
}

static void update_note_misfit(struct update *update, const struct rows *rows, enum fit_field field,
	const struct json_schema_problem *problems, size_t count)
{
	char index[32];
	size_t size;
	const char *id = rows_text(rows, 0, rows_column(rows, "id"), &size);

	json_text_puts(&update->details, update->misfits++ ? "," : "{\"items\":[");
	fit_describe(&update->details, field, problems, count);
	json_text_puts(&update->details, ",\"itemId\":");
	json_text_string(&update->details, id, size);
	snprintf(index, sizeof(index), ",\"index\":%u}", update->index);
	json_text_puts(&update->details, index);
}

/* Notes the first field that does not fit. What a fitting item takes of the arena is freed. */
static void update_check_item(struct context *ctx, struct update *update, const struct rows *rows)
{
	struct json_schema_problem problems[JSON_SCHEMA_PROBLEMS];
	struct arena_mark mark = arena_mark(ctx->arena);

	for (enum fit_field field = FIT_INPUT; field < FIT_FIELDS; field++) {
		struct json value = update_value(rows, field);
		size_t count = json_kind(value) == JSON_ABSENT
			? 0
			: fit_check(ctx, &update->fit, field, value, problems);
		if (count) {
			update_note_misfit(update, rows, field, problems, count);
			return;
		}
	}
	arena_rewind(ctx->arena, mark);
}

/* Called for each item as it arrives, and at the end. */
static void update_item_read(struct context *ctx, const struct rows *rows, void *arg)
{
	struct update *update = arg;

	if (rows_count(rows)) {
		if (update->misfits < UPDATE_MISFITS)
			update_check_item(ctx, update, rows);
		update->index++;
		return;
	}
	if (!update->misfits) {
		update_write(ctx, update->call);
		return;
	}
	json_text_puts(&update->details, "]}");
	call_fail(ctx, update->call, FAILURE_INVALID, "DATASET_SCHEMA_MISFITS_ITEMS",
		json_text_end(&update->details).text,
		"Cannot update schema: %u existing item(s) would fail validation", update->misfits);
}

static void update_check_items(struct context *ctx, struct update *update)
{
	if (!update->fit.schemas[FIT_INPUT] && !update->fit.schemas[FIT_GROUND_TRUTH]) {
		update_write(ctx, update->call);
		return;
	}
	if (!declared_bind(ctx, update->call, SQL_DATASETS_UPDATE_DATASET__ITEMS, NULL))
		return;
	context_stream(ctx);
	context_send(ctx, SQL_DATASETS_UPDATE_DATASET__ITEMS, update_item_read, update);
}

static void update_locked(struct context *ctx, const struct rows *rows, void *arg)
{
	struct update *update = arg;

	if (!rows_count(rows))
		reply_missing(ctx, update->call);
	else if (!rows_bool(rows, 0, rows_column(rows, "changed")))
		update_write(ctx, update->call);
	else if (fit_compile_row(ctx, update->call, rows, &update->fit))
		update_check_items(ctx, update);
}

void datasets_update(struct context *ctx)
{
	struct update *update = arena_calloc(ctx->arena, 1, sizeof(*update));

	update->call = ctx->calls[0];
	update->details = json_text_new(ctx->arena);
	if (declared_words_ok(ctx, update->call) &&
		declared_bind(ctx, update->call, SQL_DATASETS_UPDATE_DATASET__LOCK, NULL))
		context_send(ctx, SQL_DATASETS_UPDATE_DATASET__LOCK, update_locked, update);
}
