/* clone_thread.c - memory.copyThread, and memory.cloneThread, which also returns the new messages */
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/context.h"
#include "handlers/core/reply.h"
#include "handlers/domains/memory/message_list.h"
#include "handlers/domains/memory/message_read.h"
#include "schemas/base/iso_time.h"
#include "schemas/base/uuid.h"

/* The same functions read both requests, so their field numbers must be equal. */
_Static_assert((int)MEMORY_COPY_THREAD__SOURCE_THREAD_ID ==
			(int)MEMORY_CLONE_THREAD__SOURCE_THREAD_ID &&
		(int)MEMORY_COPY_THREAD__NEW_THREAD_ID == (int)MEMORY_CLONE_THREAD__NEW_THREAD_ID &&
		(int)MEMORY_COPY_THREAD__RESOURCE_ID == (int)MEMORY_CLONE_THREAD__RESOURCE_ID &&
		(int)MEMORY_COPY_THREAD__TITLE == (int)MEMORY_CLONE_THREAD__TITLE &&
		(int)MEMORY_COPY_THREAD__METADATA == (int)MEMORY_CLONE_THREAD__METADATA &&
		(int)MEMORY_COPY_THREAD__OPTIONS == (int)MEMORY_CLONE_THREAD__OPTIONS &&
		(int)MEMORY_COPY_THREAD_OUTPUT__THREAD == (int)MEMORY_CLONE_THREAD_OUTPUT__THREAD &&
		(int)MEMORY_COPY_THREAD_OUTPUT__MESSAGE_ID_MAP ==
			(int)MEMORY_CLONE_THREAD_OUTPUT__MESSAGE_ID_MAP,
	"copyThread and cloneThread must have the same field numbers");

struct cloning {
	struct call *call;
	struct datum new_id;
	struct datum metadata;
	/* The result; its texts are in the arena. */
	struct datum thread;
	struct datum id_map;
	struct message_scan scan;
};

static const struct datum none;

static const struct datum *clone_thread_given(const struct cloning *cloning, unsigned index)
{
	return datum_field(cloning->call->request, index);
}

/* The field's text; a null also if it is empty, as in the reference. */
static const struct datum *clone_thread_given_text(const struct cloning *cloning, unsigned index)
{
	const struct datum *text = clone_thread_given(cloning, index);
	return datum_is_null(text) || !text->size ? &none : text;
}

static const struct datum *clone_thread_filter_field(const struct cloning *cloning, unsigned index)
{
	const struct datum *options = clone_thread_given(cloning, MEMORY_COPY_THREAD__OPTIONS);
	const struct datum *filter = datum_is_null(options)
		? &none
		: datum_field(options, MEMORY_CLONE_OPTIONS__MESSAGE_FILTER);

	return datum_is_null(filter) ? &none : datum_field(filter, index);
}

static bool clone_thread_check(struct context *ctx, struct cloning *cloning)
{
	static const struct {
		unsigned index;
		const char *name;
	} texts[] = {
		{ MEMORY_COPY_THREAD__SOURCE_THREAD_ID, "sourceThreadId" },
		{ MEMORY_COPY_THREAD__NEW_THREAD_ID, "newThreadId" },
		{ MEMORY_COPY_THREAD__RESOURCE_ID, "resourceId" },
		{ MEMORY_COPY_THREAD__TITLE, "title" },
	};
	struct call *call = cloning->call;
	const struct datum *ids = clone_thread_filter_field(cloning,
		MEMORY_CLONE_MESSAGE_FILTER__MESSAGE_IDS);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!binding_text_ok(ctx, call, clone_thread_given(cloning, texts[i].index),
			    texts[i].name))
			return false;
	for (uint32_t i = 0; i < ids->size; i++)
		if (!binding_text_ok(ctx, call, &ids->items[i], "messageIds"))
			return false;
	return binding_time_ok(ctx, call,
		       clone_thread_filter_field(cloning, MEMORY_CLONE_MESSAGE_FILTER__START_DATE),
		       "startDate") &&
		binding_time_ok(ctx, call,
			clone_thread_filter_field(cloning, MEMORY_CLONE_MESSAGE_FILTER__END_DATE),
			"endDate") &&
		binding_json(ctx, call, clone_thread_given(cloning, MEMORY_COPY_THREAD__METADATA),
			"metadata", &cloning->metadata);
}

static void clone_thread_bind_filter(struct context *ctx, const struct cloning *cloning)
{
	const struct datum *options = clone_thread_given(cloning, MEMORY_COPY_THREAD__OPTIONS);
	const struct datum *ids = clone_thread_filter_field(cloning,
		MEMORY_CLONE_MESSAGE_FILTER__MESSAGE_IDS);
	const struct datum *limit = datum_is_null(options)
		? &none
		: datum_field(options, MEMORY_CLONE_OPTIONS__MESSAGE_LIMIT);

	bind_time(ctx->params,
		clone_thread_filter_field(cloning, MEMORY_CLONE_MESSAGE_FILTER__START_DATE));
	bind_time(ctx->params,
		clone_thread_filter_field(cloning, MEMORY_CLONE_MESSAGE_FILTER__END_DATE));
	bind_texts(ctx->params, ids->size ? ids : NULL);
	if (datum_is_null(limit) || limit->integer <= 0)
		params_null(ctx->params);
	else
		params_int8(ctx->params, limit->integer);
}

static void clone_thread_bind(struct context *ctx, const struct cloning *cloning)
{
	char now[ISO_TIME_SIZE];
	size_t len = iso_time_write(now, call_now_ms(cloning->call));

	bind_text(ctx->params, clone_thread_given(cloning, MEMORY_COPY_THREAD__SOURCE_THREAD_ID));
	bind_text(ctx->params, &cloning->new_id);
	bind_text(ctx->params, clone_thread_given_text(cloning, MEMORY_COPY_THREAD__RESOURCE_ID));
	bind_text(ctx->params, clone_thread_given_text(cloning, MEMORY_COPY_THREAD__TITLE));
	bind_jsonb(ctx->params, &cloning->metadata);
	params_timestamp_us(ctx->params, cloning->call->now_us);
	params_text(ctx->params, now, len);
	clone_thread_bind_filter(ctx, cloning);
}

/* ---------------------------------------------------------------- the outcome */

static struct datum clone_thread_copy_text(struct context *ctx, const char *text, size_t len)
{
	return datum_text(arena_copy(ctx->arena, text, len), (uint32_t)len);
}

/* From the id of each source message to the id of its copy, in the order of the thread. */
static struct datum clone_thread_id_map(struct context *ctx, const struct rows *rows)
{
	struct rows_texts old_ids, new_ids;
	int count = rows_texts(rows, 0, rows_column(rows, "old_ids"), &old_ids);
	struct datum *pairs = arena_calloc(ctx->arena, 2 * (size_t)count + 1, sizeof(*pairs));

	rows_texts(rows, 0, rows_column(rows, "new_ids"), &new_ids);
	for (int i = 0; i < count; i++) {
		size_t len = 0;
		const char *text = rows_texts_next(&old_ids, &len);
		pairs[2 * i] = clone_thread_copy_text(ctx, text, len);
		text = rows_texts_next(&new_ids, &len);
		pairs[2 * i + 1] = clone_thread_copy_text(ctx, text, len);
	}
	return datum_map(pairs, (uint32_t)count);
}

/* The new thread. Its texts are copied: cloneThread replies after these rows are freed. */
static struct datum clone_thread_new_thread(struct context *ctx, const struct cloning *cloning,
	const struct rows *rows)
{
	const struct type *type = reply_result_type(cloning->call);
	struct datum thread = reply_row(ctx, rows, 0,
		type->fields[MEMORY_COPY_THREAD_OUTPUT__THREAD].type);

	for (uint32_t i = 0; i < thread.size; i++)
		if (thread.items[i].kind == DATUM_TEXT)
			thread.items[i] = clone_thread_copy_text(ctx, thread.items[i].text,
				thread.items[i].size);
	return thread;
}

/* Reads the statement's row. False: it created no thread, and the call has failed. */
static bool clone_thread_read_result(struct context *ctx, struct cloning *cloning,
	const struct rows *rows)
{
	const struct datum *source = clone_thread_given(cloning,
		MEMORY_COPY_THREAD__SOURCE_THREAD_ID);

	if (!rows_count(rows)) {
		call_fail(ctx, cloning->call, FAILURE_NOT_FOUND, "SOURCE_THREAD_NOT_FOUND", NULL,
			"Source thread with id %.*s not found", (int)source->size, source->text);
		return false;
	}
	if (rows_null(rows, 0, rows_column(rows, "id"))) {
		call_fail(ctx, cloning->call, FAILURE_CONFLICT, "THREAD_EXISTS", NULL,
			"Thread with id %.*s already exists", (int)cloning->new_id.size,
			cloning->new_id.text);
		return false;
	}
	cloning->thread = clone_thread_new_thread(ctx, cloning, rows);
	cloning->id_map = clone_thread_id_map(ctx, rows);
	return true;
}

static void clone_thread_copied(struct context *ctx, const struct rows *rows, void *arg)
{
	struct cloning *cloning = arg;

	if (!clone_thread_read_result(ctx, cloning, rows))
		return;
	struct datum fields[MEMORY_COPY_THREAD_OUTPUT_SIZE] = {
		[MEMORY_COPY_THREAD_OUTPUT__THREAD] = cloning->thread,
		[MEMORY_COPY_THREAD_OUTPUT__MESSAGE_ID_MAP] = cloning->id_map,
	};
	call_reply(ctx, cloning->call, datum_record(fields, MEMORY_COPY_THREAD_OUTPUT_SIZE));
}

static void clone_thread_bind_new_id(struct context *ctx, void *arg)
{
	const struct cloning *cloning = arg;

	bind_text(ctx->params, &cloning->new_id);
}

static void clone_thread_messages_read(struct context *ctx, struct message_scan *scan, void *arg)
{
	struct cloning *cloning = arg;
	struct message_list *list = message_list_new(ctx->arena);

	for (uint32_t i = 0; i < scan->count; i++)
		message_list_add(list, &scan->messages[i]);
	struct datum fields[MEMORY_CLONE_THREAD_OUTPUT_SIZE] = {
		[MEMORY_CLONE_THREAD_OUTPUT__THREAD] = cloning->thread,
		[MEMORY_CLONE_THREAD_OUTPUT__MESSAGE_ID_MAP] = cloning->id_map,
		[MEMORY_CLONE_THREAD_OUTPUT__CLONED_MESSAGES] = scan->too_large
			? message_scan_raw(scan)
			: message_list_sorted(list, false),
	};
	call_reply(ctx, cloning->call, datum_record(fields, MEMORY_CLONE_THREAD_OUTPUT_SIZE));
}

static void clone_thread_cloned(struct context *ctx, const struct rows *rows, void *arg)
{
	struct cloning *cloning = arg;

	if (!clone_thread_read_result(ctx, cloning, rows))
		return;
	if (!cloning->call->wants_reply) {
		call_reply_null(ctx, cloning->call);
		return;
	}
	cloning->scan = (struct message_scan){
		.call = cloning->call,
		.where = "m.thread_id = $1::text",
		.bind = clone_thread_bind_new_id,
		.done = clone_thread_messages_read,
		.arg = cloning,
		.limit = INT64_MAX,
	};
	message_scan_start(ctx, &cloning->scan);
}

/* Sends the statement that copies; both commands use the same one. */
static void clone_thread_send(struct context *ctx, context_result_fn *done)
{
	struct cloning *cloning = arena_calloc(ctx->arena, 1, sizeof(*cloning));
	char *uuid = arena_alloc(ctx->arena, UUID_TEXT_SIZE);

	cloning->call = ctx->calls[0];
	if (!clone_thread_check(ctx, cloning))
		return;
	cloning->new_id = *clone_thread_given_text(cloning, MEMORY_COPY_THREAD__NEW_THREAD_ID);
	if (datum_is_null(&cloning->new_id)) {
		uuid_v4(uuid);
		cloning->new_id = datum_string(uuid);
	}
	clone_thread_bind(ctx, cloning);
	context_send(ctx, SQL_MEMORY_COPY_THREAD, done, cloning);
}

void memory_copy_thread(struct context *ctx)
{
	clone_thread_send(ctx, clone_thread_copied);
}

void memory_clone_thread(struct context *ctx)
{
	clone_thread_send(ctx, clone_thread_cloned);
}
