/*
 * items.c - datasets.addItem, batchInsertItems and updateItem: items are checked, then written
 *
 * The first statement of each locks the dataset and reads its schemas, the second writes.
 */
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/declared.h"
#include "handlers/core/reply.h"
#include "handlers/domains/datasets/fit.h"

/* An item as the request gives it: a record of the list `items`, or the request itself. */
struct given_item {
	const struct type *type;
	const struct datum *record;
	int index; /* in the list; -1: the request itself */
};

/* The field, null if it is not given or this command's items have none of that name. */
static const struct datum *item_field(const struct given_item *item, const char *name)
{
	static const struct datum none;
	int field = type_field_index(item->type, name, strlen(name));

	return field < 0 ? &none : datum_field(item->record, (unsigned)field);
}

static bool item_refuse(struct context *ctx, struct call *call, const struct given_item *item,
	const char *field, const char *code, const char *why)
{
	const char *path = item->index < 0
		? field
		: arena_printf(ctx->arena, "items[%d].%s", item->index, field);

	call_fail_at(ctx, call, code, path, why);
	return false;
}

/* PostgreSQL stores these fields as they are or not at all; only the other JSON is repaired. */
static bool item_storable(struct context *ctx, struct call *call, const struct given_item *item)
{
	static const char *const exact[] = { "input", "groundTruth", "expectedTrajectory" };
	static const char *const texts[] = { "externalId", "unmockedToolPolicy" };

	for (size_t i = 0; i < sizeof(exact) / sizeof(*exact); i++)
		if (item_field(item, exact[i])->flags & DATUM_JSON_REPAIR)
			return item_refuse(ctx, call, item, exact[i], "TEXT_NOT_STORABLE",
				"holds an escaped NUL or a lone surrogate, which jsonb can't store");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const struct datum *text = item_field(item, texts[i]);
		if (!datum_is_null(text) && memchr(text->text, 0, text->size))
			return item_refuse(ctx, call, item, texts[i], "TEXT_NOT_STORABLE",
				"holds a NUL character, which PostgreSQL can't store in text");
	}
	return true;
}

/* The value that the item will have; absent if this command does not set the field. */
static struct json item_value(const struct given_item *item, const char *name)
{
	const struct datum *cleared = item_field(item, "clear");

	for (uint32_t i = 0; !datum_is_null(cleared) && i < cleared->size; i++)
		if (cleared->items[i].size == strlen(name) &&
			memcmp(cleared->items[i].text, name, strlen(name)) == 0)
			return (struct json){ "null", 4 };
	return json_of(item_field(item, name));
}

/* Fails the call: a value of the item does not fit its schema. */
static bool item_misfit(struct context *ctx, struct call *call, const struct given_item *item,
	enum fit_field field, const struct json_schema_problem *problems, size_t count)
{
	struct json_text details = json_text_new(ctx->arena);

	fit_describe(&details, field, problems, count);
	if (item->index >= 0)
		json_text_puts(&details, arena_printf(ctx->arena, ",\"index\":%d", item->index));
	json_text_puts(&details, "}");
	call_fail(ctx, call, FAILURE_INVALID, "DATASET_ITEM_SCHEMA_MISMATCH",
		json_text_end(&details).text, "Validation failed for %s: %s %s",
		fit_field_name(field), problems[0].path, problems[0].message);
	return false;
}

static bool item_fits(struct context *ctx, struct call *call, const struct given_item *item,
	const struct fit *fit)
{
	for (enum fit_field field = FIT_INPUT; field < FIT_FIELDS; field++) {
		struct json_schema_problem problems[JSON_SCHEMA_PROBLEMS];
		struct arena_mark mark = arena_mark(ctx->arena);
		struct json value = item_value(item, fit_field_name(field));
		size_t count = json_kind(value) == JSON_ABSENT
			? 0
			: fit_check(ctx, fit, field, value, problems);
		if (count)
			return item_misfit(ctx, call, item, field, problems, count);
		arena_rewind(ctx->arena, mark);
	}
	return true;
}

static bool item_ok(struct context *ctx, struct call *call, const struct given_item *item,
	const struct fit *fit)
{
	const struct datum *external = item_field(item, "externalId");

	if (!datum_is_null(external) && !external->size)
		return item_refuse(ctx, call, item, "externalId",
			"DATASET_ITEM_EXTERNAL_ID_INVALID", "must not be empty");
	return item_storable(ctx, call, item) && item_fits(ctx, call, item, fit);
}

/* The request's list of items; NULL: the request is the item. */
static const struct datum *items_list(const struct call *call)
{
	return call->command->id == COMMAND_ID_DATASETS_BATCH_INSERT_ITEMS
		? datum_field(call->request, DATASETS_BATCH_INSERT_ITEMS__ITEMS)
		: NULL;
}

static bool items_ok(struct context *ctx, struct call *call, const struct fit *fit)
{
	const struct datum *list = items_list(call);
	struct given_item item = { call->request_type, call->request, -1 };

	if (!list)
		return item_ok(ctx, call, &item, fit);
	item.type = call->request_type->fields[DATASETS_BATCH_INSERT_ITEMS__ITEMS].type->item;
	for (item.index = 0; (uint32_t)item.index < list->size; item.index++) {
		item.record = &list->items[item.index];
		if (!item_ok(ctx, call, &item, fit))
			return false;
	}
	return true;
}

static void items_written(struct context *ctx, const struct rows *rows, void *arg)
{
	declared_reply(ctx, arg, rows, 0, rows_count(rows));
}

/* The dataset is locked. */
static void items_locked(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	const struct datum *list = items_list(call);
	int write = call->command->statement + 1;
	struct fit fit;

	if (!rows_count(rows)) {
		reply_missing(ctx, call);
		return;
	}
	if (declared_failed(ctx, call, rows, 0) || !fit_compile_row(ctx, call, rows, &fit) ||
		!items_ok(ctx, call, &fit))
		return;
	if (list && !list->size) {
		call_reply(ctx, call, datum_array(NULL, 0));
		return;
	}
	if (!declared_bind(ctx, call, write, NULL))
		return;
	if (list)
		context_bound(ctx, call);
	context_send(ctx, write, items_written, call);
}

void datasets_write_items(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	int lock = call->command->statement;

	if (declared_words_ok(ctx, call) && declared_bind(ctx, call, lock, NULL))
		context_send(ctx, lock, items_locked, call);
}
