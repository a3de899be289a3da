/*
 * folded.c - the handler of writes that fold and name none: one row of parameters for each command
 *
 * A handler that only checks its commands calls it too, for those that have not failed.
 */
#include <string.h>

#include "handlers/core/binding.h"
#include "handlers/core/declared.h"
#include "handlers/core/keys.h"

/* A command whose parameters are checked. */
struct folded_call {
	struct call *call;
	struct datum **values; /* by the command's statement, then by parameter */
};

/* The commands of one execution of the statements. */
struct folded_run {
	const struct folded_call *calls;
	size_t count;
};

/* --- one row for each command --- */

static bool is_now(const struct param_def *param)
{
	return strcmp(param->path, "@now") == 0;
}

static void append_column(struct context *ctx, const struct folded_run *run, int statement,
	int param)
{
	const struct param_def *def = &statement_defs[statement].params[param];
	const struct binding_type *type = binding_type(def->type);
	int place = statement - run->calls[0].call->command->statement;
	int array = binding_array(ctx->params, type);

	for (size_t i = 0; i < run->count; i++) {
		const struct datum *value = &run->calls[i].values[place][param];
		/* The command's own time is finer than a client's times. */
		if (is_now(def))
			array_timestamp_us(ctx->params, array, value->integer);
		else
			binding_append_element(ctx->params, array, type, value);
	}
}

static void append_rows(struct context *ctx, const struct folded_run *run, int statement)
{
	int places = params_array(ctx->params, ELEMENT_INT4);

	for (size_t i = 0; i < run->count; i++)
		array_int4(ctx->params, places, (int32_t)i);
	for (int param = 0; param < statement_defs[statement].param_count - 1; param++)
		append_column(ctx, run, statement, param);
}

/* --- results --- */

/* Each row names its command in the column `place`; rows of one command follow each other. */
static void folded_reply(struct context *ctx, const struct rows *rows, void *arg)
{
	const struct folded_run *run = arg;
	int column = rows_columns(rows) ? rows_column(rows, "place") : -1;
	int *row_of = arena_alloc(ctx->arena, run->count * sizeof(*row_of));

	for (size_t i = 0; i < run->count; i++)
		row_of[i] = -1;
	for (int row = 0; column >= 0 && row < rows_count(rows); row++)
		row_of[rows_integer(rows, row, column)] = row;
	for (size_t i = 0; i < run->count; i++)
		declared_reply(ctx, run->calls[i].call, rows, row_of[i], row_of[i] >= 0);
}

/* --- runs --- */

static void send_run(struct context *ctx, const struct folded_call *calls, size_t count)
{
	struct folded_run *run = arena_alloc(ctx->arena, sizeof(*run));
	const struct command_def *command = calls[0].call->command;
	int last = command->statement + command->statement_count - 1;

	*run = (struct folded_run){ calls, count };
	for (int i = command->statement; i <= last; i++) {
		append_rows(ctx, run, i);
		context_send(ctx, i, i == last ? folded_reply : NULL, run);
	}
}

/* Appends the value at the path behind its size, so that no two lists of values are the same text.
 * False: there is no value. */
static bool key_append(struct context *ctx, const struct call *call, const char *path, size_t len,
	struct datum *key)
{
	const struct datum *value = binding_path(call, arena_copy(ctx->arena, path, len), NULL);

	if (!value)
		return false;
	char *text = arena_alloc(ctx->arena, key->size + sizeof(value->size) + value->size);
	if (key->size)
		memcpy(text, key->text, key->size);
	memcpy(text + key->size, &value->size, sizeof(value->size));
	if (value->size)
		memcpy(text + key->size + sizeof(value->size), value->text, value->size);
	*key = datum_text(text, key->size + (uint32_t)sizeof(value->size) + value->size);
	return true;
}

/* The key that the command's `distinct` names. False: the command has none. */
static bool call_key(struct context *ctx, const struct call *call, struct datum *key)
{
	const char *at = call->command->distinct;

	for (*key = datum_text("", 0); *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");
		if (!key_append(ctx, call, at, len, key))
			return false;
		at += len;
	}
	return true;
}

/* Commands with equal keys act in order, so they go in different runs. */
static void send_runs(struct context *ctx, const struct folded_call *calls, size_t count)
{
	struct keys *keys = keys_new(ctx->arena, (uint32_t)count);
	size_t first = 0;

	for (size_t i = 0; i < count; i++) {
		struct datum key;
		uint32_t known = keys_count(keys);
		if (!call_key(ctx, calls[i].call, &key) || keys_add(keys, &key) == known)
			continue;
		send_run(ctx, calls + first, i - first);
		first = i;
		keys = keys_new(ctx->arena, (uint32_t)(count - first));
		keys_add(keys, &key);
	}
	if (first < count)
		send_run(ctx, calls + first, count - first);
}

/* Reads the parameters of all statements. False: the call has failed. */
static bool read_values(struct context *ctx, struct folded_call *folded)
{
	struct call *call = folded->call;
	const struct command_def *command = call->command;

	folded->values = arena_calloc(ctx->arena, (size_t)command->statement_count,
		sizeof(*folded->values));
	for (int i = 0; i < command->statement_count; i++) {
		const struct statement_def *def = &statement_defs[command->statement + i];
		int count = def->param_count - 1;
		folded->values[i] = arena_calloc(ctx->arena, (size_t)count + 1,
			sizeof(**folded->values));
		for (int param = 0; param < count; param++) {
			const struct param_def *declared = &def->params[param];
			struct datum *value = &folded->values[i][param];
			if (is_now(declared))
				*value = datum_integer(call->now_us);
			else if (!declared_value(ctx, call, declared, binding_type(declared->type),
					 value))
				return false;
		}
	}
	return true;
}

void handle_folded(struct context *ctx)
{
	struct folded_call *calls = arena_calloc(ctx->arena, ctx->count, sizeof(*calls));
	size_t count = 0;

	for (size_t i = 0; i < ctx->count; i++) {
		calls[count].call = ctx->calls[i];
		if (ctx->calls[i]->state == CALL_PENDING && declared_words_ok(ctx, ctx->calls[i]) &&
			read_values(ctx, &calls[count]))
			count++;
	}
	send_runs(ctx, calls, count);
}
