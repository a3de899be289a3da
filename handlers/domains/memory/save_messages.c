/*
 * save_messages.c - memory.saveMessages, the command whose speed matters most
 *
 * One statement over arrays serves a run of calls, if it has the same effect as a statement for each
 * call. It has while each call names one thread, and no two calls name one message id for different
 * threads: a message is then saved if and only if its own thread exists. A call that breaks the
 * second rule starts a new run. A call with several threads gets a statement of its own, since
 * it must save all its messages or none.
 */
#define _GNU_SOURCE /* memmem */
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/context.h"
#include "handlers/core/keys.h"
#include "handlers/domains/memory/message.h"
#include "handlers/domains/memory/message_list.h"
#include "handlers/domains/memory/message_parts.h"
#include "schemas/json/json.h"

/* A row to store. */
struct stored_message {
	const struct datum *message;
	struct datum content; /* as the column holds it */
	int64_t created_ms;   /* createdAt of the first message with this id */
};

/* A call of the run. */
struct saving {
	struct call *call;
	const struct datum *messages;
	struct datum *contents; /* of the messages, as the column stores them */
};

/* The calls that one statement serves. */
struct run {
	struct context *ctx;
	struct keys *threads;
	int64_t *touched_us; /* by thread: time of the last call */
	struct keys *ids;
	struct stored_message *rows; /* by id: the last message given for it */
	uint32_t room;               /* of rows and touched_us */
	struct saving *savings;
	size_t saving_count;
};

/* ---------------------------------------------------------------- one call */

static const struct datum *save_messages_thread_id_of(const struct datum *message)
{
	return datum_field(message, MEMORY_MESSAGE__THREAD_ID);
}

static bool save_messages_check(struct context *ctx, struct call *call, const struct datum *message)
{
	const struct datum *thread_id = save_messages_thread_id_of(message);
	const struct datum *resource_id = datum_field(message, MEMORY_MESSAGE__RESOURCE_ID);

	if (datum_is_null(thread_id) || !thread_id->size) {
		call_fail(ctx, call, FAILURE_INVALID, "THREAD_ID_REQUIRED", NULL,
			"Every message needs a threadId");
		return false;
	}
	if (datum_is_null(resource_id) || !resource_id->size) {
		call_fail(ctx, call, FAILURE_INVALID, "RESOURCE_ID_REQUIRED", NULL,
			"Every message needs a resourceId");
		return false;
	}
	return binding_text_ok(ctx, call, datum_field(message, MEMORY_MESSAGE__ID), "id") &&
		binding_text_ok(ctx, call, thread_id, "threadId") &&
		binding_text_ok(ctx, call, resource_id, "resourceId") &&
		binding_text_ok(ctx, call, datum_field(message, MEMORY_MESSAGE__TYPE), "type") &&
		binding_time_ok(ctx, call, datum_field(message, MEMORY_MESSAGE__CREATED_AT),
			"createdAt") &&
		binding_text_ok(ctx, call, datum_field(message, MEMORY_MESSAGE__ROLE), "role");
}

/* Up to this size, no content can become too large by the args that its tool invocations share. */
#define SHARED_ARGS_MIN 8192
#define INVOCATIONS "toolInvocations"

/* Can the list methods return the message? They return a text twice, and complete args. */
static bool save_messages_fits(struct context *ctx, struct call *call, const struct datum *given,
	const struct datum *content)
{
	size_t shown = given->size;

	if (json_kind(json_of(given)) == JSON_STRING_KIND) {
		shown *= 2;
	} else if (content->size > SHARED_ARGS_MIN &&
		memmem(content->text, content->size, INVOCATIONS, sizeof(INVOCATIONS) - 1)) {
		struct arena_mark mark = arena_mark(ctx->arena);
		shown = message_parts_normalise(ctx->arena, json_of(content)).len;
		arena_rewind(ctx->arena, mark);
	}
	return message_size_ok(ctx, call, shown);
}

/* The column stores a text as it is, and an object or array as JSON.stringify() prints it. */
static bool save_messages_read_content(struct context *ctx, struct call *call,
	const struct datum *message, struct datum *content)
{
	const struct datum *given = datum_field(message, MEMORY_MESSAGE__CONTENT);

	switch (json_kind(json_of(given))) {
	case JSON_STRING_KIND:
		*content = json_unquote(ctx->arena, json_of(given));
		return binding_text_ok(ctx, call, content, "content") &&
			save_messages_fits(ctx, call, given, content);
	case JSON_OBJECT_KIND:
	case JSON_ARRAY_KIND:
		*content = json_normal(ctx->arena, given);
		return save_messages_fits(ctx, call, given, content);
	default:
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_MESSAGE_CONTENT", NULL,
			"A message's content must be an object or a text");
		return false;
	}
}

/* Checks the messages and returns their contents. NULL: the call has failed. */
static struct datum *save_messages_read_contents(struct context *ctx, struct call *call,
	const struct datum *messages)
{
	struct datum *contents = arena_calloc(ctx->arena, messages->size, sizeof(*contents));

	for (uint32_t i = 0; i < messages->size; i++) {
		const struct datum *message = &messages->items[i];
		if (!save_messages_check(ctx, call, message) ||
			!save_messages_read_content(ctx, call, message, &contents[i]))
			return NULL;
	}
	return contents;
}

/* ---------------------------------------------------------------- the outcome */

static void save_messages_reply(struct context *ctx, const struct saving *saving)
{
	struct message_list *list = message_list_new(ctx->arena);

	if (!saving->call->wants_reply) {
		call_reply_null(ctx, saving->call);
		return;
	}
	for (uint32_t i = 0; i < saving->messages->size; i++) {
		struct datum fields[MEMORY_MESSAGE_SIZE];
		struct datum message = datum_record(fields, MEMORY_MESSAGE_SIZE);
		memcpy(fields, saving->messages->items[i].items, sizeof(fields));
		fields[MEMORY_MESSAGE__CONTENT] = saving->contents[i];
		message_list_add(list, &message);
	}
	struct datum messages = message_list_result(list);
	call_reply(ctx, saving->call, datum_record(&messages, MEMORY_MESSAGE_LIST_SIZE));
}

/* The call's first thread that does not exist; NULL if all exist. */
static const struct datum *save_messages_missing_thread(const struct saving *saving,
	const struct keys *missing)
{
	for (uint32_t i = 0; missing && i < saving->messages->size; i++) {
		const struct datum *thread_id =
			save_messages_thread_id_of(&saving->messages->items[i]);
		if (keys_find(missing, thread_id) != KEYS_NONE)
			return thread_id;
	}
	return NULL;
}

static struct keys *save_messages_missing_threads(struct context *ctx, const struct rows *rows)
{
	uint32_t count = (uint32_t)rows_count(rows);

	if (!count)
		return NULL;
	struct keys *missing = keys_new(ctx->arena, count);
	for (uint32_t i = 0; i < count; i++) {
		size_t len = 0;
		const char *text = rows_text(rows, (int)i, 0, &len);
		struct datum thread_id = datum_text(text, (uint32_t)len);
		keys_add(missing, &thread_id);
	}
	return missing;
}

static void save_messages_run_done(struct context *ctx, const struct rows *rows, void *arg)
{
	const struct run *run = arg;
	const struct keys *missing = save_messages_missing_threads(ctx, rows);

	for (size_t i = 0; i < run->saving_count; i++) {
		const struct saving *saving = &run->savings[i];
		const struct datum *thread_id = save_messages_missing_thread(saving, missing);
		if (thread_id)
			memory_thread_missing(ctx, saving->call, thread_id);
		else
			save_messages_reply(ctx, saving);
	}
}

/* ---------------------------------------------------------------- a run of calls */

static struct run *save_run_new(struct context *ctx)
{
	struct run *run = arena_calloc(ctx->arena, 1, sizeof(*run));

	run->ctx = ctx;
	run->threads = keys_new(ctx->arena, (uint32_t)ctx->count);
	run->ids = keys_new(ctx->arena, (uint32_t)ctx->count);
	run->savings = arena_calloc(ctx->arena, ctx->count, sizeof(*run->savings));
	return run;
}

/* Makes room for `count` ids and threads together. */
static void save_run_reserve(struct run *run, uint32_t count)
{
	if (count <= run->room)
		return;
	uint32_t room = count < 2 * run->room ? 2 * run->room : count;
	struct stored_message *rows = arena_alloc(run->ctx->arena, room * sizeof(*rows));
	int64_t *touched_us = arena_alloc(run->ctx->arena, room * sizeof(*touched_us));
	if (run->room) {
		memcpy(rows, run->rows, run->room * sizeof(*rows));
		memcpy(touched_us, run->touched_us, run->room * sizeof(*touched_us));
	}
	run->rows = rows;
	run->touched_us = touched_us;
	run->room = room;
}

static void save_run_add_message(struct run *run, const struct saving *saving, uint32_t index)
{
	const struct datum *message = &saving->messages->items[index];
	uint32_t known = keys_count(run->ids);
	uint32_t id = keys_add(run->ids, datum_field(message, MEMORY_MESSAGE__ID));
	struct stored_message *row = &run->rows[id];

	if (id == known)
		row->created_ms = datum_field(message, MEMORY_MESSAGE__CREATED_AT)->integer;
	row->message = message;
	row->content = saving->contents[index];
	run->touched_us[keys_add(run->threads, save_messages_thread_id_of(message))] =
		saving->call->now_us;
}

static void save_run_add(struct run *run, struct saving saving)
{
	save_run_reserve(run,
		keys_count(run->ids) + keys_count(run->threads) + saving.messages->size);
	for (uint32_t i = 0; i < saving.messages->size; i++)
		save_run_add_message(run, &saving, i);
	run->savings[run->saving_count++] = saving;
}

static void save_run_bind_threads(const struct run *run, struct params *params)
{
	const uint32_t *order = keys_sorted(run->threads);
	int id = params_array(params, ELEMENT_TEXT);
	int at = params_array(params, ELEMENT_TIMESTAMPTZ);

	for (uint32_t i = 0; i < keys_count(run->threads); i++) {
		bind_element_text(params, id, keys_text(run->threads, order[i]));
		array_timestamp_us(params, at, run->touched_us[order[i]]);
	}
}

static void save_run_bind_type(struct params *params, int array, const struct datum *type)
{
	if (datum_is_null(type) || !type->size)
		array_text(params, array, "v2", 2);
	else
		array_text(params, array, type->text, type->size);
}

static void save_run_bind_messages(const struct run *run, struct params *params)
{
	const uint32_t *order = keys_sorted(run->ids);
	int id = params_array(params, ELEMENT_TEXT);
	int thread = params_array(params, ELEMENT_TEXT);
	int content = params_array(params, ELEMENT_TEXT);
	int created = params_array(params, ELEMENT_TIMESTAMPTZ);
	int role = params_array(params, ELEMENT_TEXT);
	int type = params_array(params, ELEMENT_TEXT);
	int resource = params_array(params, ELEMENT_TEXT);

	for (uint32_t i = 0; i < keys_count(run->ids); i++) {
		const struct stored_message *row = &run->rows[order[i]];
		const struct datum *message = row->message;
		bind_element_text(params, id, datum_field(message, MEMORY_MESSAGE__ID));
		bind_element_text(params, thread, save_messages_thread_id_of(message));
		bind_element_text(params, content, &row->content);
		array_timestamp_ms(params, created, row->created_ms);
		bind_element_text(params, role, datum_field(message, MEMORY_MESSAGE__ROLE));
		save_run_bind_type(params, type, datum_field(message, MEMORY_MESSAGE__TYPE));
		bind_element_text(params, resource,
			datum_field(message, MEMORY_MESSAGE__RESOURCE_ID));
	}
}

static void save_run_send(struct run *run, int statement)
{
	save_run_bind_threads(run, run->ctx->params);
	save_run_bind_messages(run, run->ctx->params);
	context_send(run->ctx, statement, save_messages_run_done, run);
}

static void save_run_send_folded(struct run *run)
{
	if (!run->saving_count)
		return;
	bool expected = context_insert_optimistically(run->ctx, keys_count(run->ids));
	save_run_send(run, expected ? SQL_MEMORY_SAVE_MESSAGES__NEW : SQL_MEMORY_SAVE_MESSAGES);
}

/* ---------------------------------------------------------------- all calls */

static bool save_messages_has_several_threads(const struct datum *messages)
{
	for (uint32_t i = 1; i < messages->size; i++)
		if (!datum_equals(save_messages_thread_id_of(&messages->items[0]),
			    save_messages_thread_id_of(&messages->items[i])))
			return true;
	return false;
}

/* Does the run have one of the ids for another thread? */
static bool save_messages_contradicts(const struct run *run, const struct datum *messages)
{
	for (uint32_t i = 0; i < messages->size; i++) {
		const struct datum *message = &messages->items[i];
		uint32_t id = keys_find(run->ids, datum_field(message, MEMORY_MESSAGE__ID));
		if (id != KEYS_NONE &&
			!datum_equals(save_messages_thread_id_of(run->rows[id].message),
				save_messages_thread_id_of(message)))
			return true;
	}
	return false;
}

/* Adds the call to the run, or sends the run first. Returns the run that later calls may join. */
static struct run *save_messages_add_call(struct context *ctx, struct run *run, struct call *call)
{
	const struct datum *messages = datum_field(call->request, MEMORY_SAVE_MESSAGES__MESSAGES);
	struct saving saving = { .call = call, .messages = messages };

	if (messages->size) {
		saving.contents = save_messages_read_contents(ctx, call, messages);
		if (!saving.contents)
			return run;
	} else {
		save_messages_reply(ctx, &saving);
		return run;
	}
	bool several = save_messages_has_several_threads(messages);
	if (several || save_messages_contradicts(run, messages)) {
		save_run_send_folded(run);
		run = save_run_new(ctx);
	}
	save_run_add(run, saving);
	if (!several)
		return run;
	save_run_send(run, SQL_MEMORY_SAVE_MESSAGES__TOGETHER);
	return save_run_new(ctx);
}

void memory_save_messages(struct context *ctx)
{
	struct run *run = save_run_new(ctx);

	for (size_t i = 0; i < ctx->count; i++)
		run = save_messages_add_call(ctx, run, ctx->calls[i]);
	save_run_send_folded(run);
}
