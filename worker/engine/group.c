/* group.c - decodes the commands of a group, and runs them behind one savepoint */
#include "worker/engine/group.h"

#include "handlers/domains/command_table.h"
#include "worker/lanes/batch_limits.h"

/* Groups are commands whose request holds commands in its only field. */
#define GROUP_COMMANDS 0
#define GROUP_FAILED "TRANSACTION_FAILED"

static const char *group_details(struct arena *arena, size_t index, const char *code)
{
	return arena_printf(arena, "{\"index\":%zu,\"code\":\"%s\"}", index, code);
}

/* --- decoding --- */

static void group_refuse(struct job *job, struct arena *arena, size_t index,
	enum failure_category category, const char *code, const char *why)
{
	job_refuse(job, arena, category, GROUP_FAILED, "commands[%zu]: %s", index, why);
	job->calls[0].failure.details = group_details(arena, index, code);
}

static bool group_allows(struct job *job, struct arena *arena, size_t index,
	const struct command_def *command)
{
	if (!(command->flags & (COMMAND_OUTSIDE | COMMAND_DEFERRED | COMMAND_GROUP)))
		return true;
	group_refuse(job, arena, index, FAILURE_UNSUPPORTED, "NOT_IN_TRANSACTION",
		arena_printf(arena, "%s cannot run inside of storage.transaction: send it alone",
			command->name));
	return false;
}

static bool group_decode_one(struct job *job, const struct engine *engine, struct arena *arena,
	size_t index)
{
	const struct datum *commands = datum_field(job->calls[0].request, GROUP_COMMANDS);
	struct framing framing = framing_parse(commands->items[index].text,
		commands->items[index].size);
	const struct catalog_writer *writer = framing_accepted(&framing)
		? catalog_find_framed(engine_catalog(engine), &framing)
		: NULL;
	struct datum *request = arena_alloc(arena, sizeof(*request));
	struct decode_error error;
	if (!writer) {
		group_refuse(job, arena, index, FAILURE_INVALID, "UNKNOWN_SCHEMA",
			"it is not in Avro's single-object encoding with a known schema");
		return false;
	}
	if (!group_allows(job, arena, index, &command_defs[writer->command]))
		return false;
	if (!decode(writer->plan, framing.datum, framing.datum_size, &engine->limits, arena,
		    request, &error)) {
		group_refuse(job, arena, index, FAILURE_INVALID, error.code, error.message);
		return false;
	}
	struct call *call = &job->calls[0].inner[index];
	*call = (struct call){ .request = request, .schema = job->calls[0].schema };
	job_set_command(job, call, engine, writer->command);
	return true;
}

void group_decode(struct job *job, const struct engine *engine, struct arena *arena)
{
	struct call *group = &job->calls[0];
	size_t count = datum_field(group->request, GROUP_COMMANDS)->size;
	size_t most = (size_t)engine->config->limits.transaction_commands;
	if (count > most) {
		job_refuse(job, arena, FAILURE_INVALID, "LENGTH_BEYOND_LIMIT",
			"commands: %zu commands are more than limits.transactionCommands (%zu)",
			count, most);
		return;
	}
	group->inner = arena_calloc(arena, count + 1, sizeof(*group->inner));
	group->inner_count = count;
	/* Together they may take what a single command in a message of this size may. */
	size_t limit = arena_used(arena) + decode_budget(job->message->len);
	for (size_t i = 0; i < count; i++) {
		if (!group_decode_one(job, engine, arena, i))
			return;
		if (arena_used(arena) <= limit)
			continue;
		group_refuse(job, arena, i, FAILURE_INVALID, "LENGTH_BEYOND_LIMIT",
			"the commands need too much memory for their size");
		return;
	}
}

/* --- running --- */

/* Returns the first call that failed; `count` if none did. */
static size_t group_find_failed(const struct call *group, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (group->inner[i].state == CALL_FAILED)
			return i;
	return count;
}

static void group_fail(struct context *ctx, struct call *group, size_t index)
{
	const struct call *call = &group->inner[index];
	const struct failure *failure = &call->failure;
	call_fail(ctx, group, failure->category, GROUP_FAILED,
		group_details(ctx->arena, index, failure->code), "commands[%zu], %s: %s: %s", index,
		call->command->name, failure->code, failure->message);
}

/* Do the replies so far fit into one? Else the group fails. */
static bool group_fits(struct context *ctx, struct call *group, size_t count)
{
	size_t bytes = group->envelope_bytes;
	for (size_t i = 0; i < count; i++)
		bytes += group->inner[i].state == CALL_DONE ? group->inner[i].reply_size : 0;
	if (bytes <= ctx->settings->max_reply_bytes)
		return true;
	call_fail(ctx, group, FAILURE_INVALID, "REPLY_TOO_LARGE", NULL,
		"the replies are larger than replies.maxBytes (%zu): ask for less at a time",
		ctx->settings->max_reply_bytes);
	return false;
}

/* Starts one call. Its results come with the next drain, at once if it is a barrier. */
static enum db_kind group_run_call(struct attempt *attempt, struct call *group, size_t index,
	size_t *ahead)
{
	struct transaction *t = attempt->transaction;
	struct call **calls = arena_alloc(attempt->batch->arena, sizeof(*calls));
	calls[0] = &group->inner[index];
	calls[0]->origin = group->origin;
	calls[0]->wants_reply = group->wants_reply;
	calls[0]->state = CALL_PENDING;
	struct context *ctx = context_new(&t->session, attempt->batch->arena, calls, 1);
	attempt_start_calls(attempt, ctx);
	if (ctx->count == 1)
		context_run(ctx);
	bool large = t->session.attempt.reply_bytes > REPLIES_LARGE;
	if (!(calls[0]->command->flags & COMMAND_BARRIER) && calls[0]->state != CALL_FAILED &&
		++*ahead < (large ? CONTEXTS_AHEAD_LARGE : CONTEXTS_AHEAD))
		return DB_OK;
	*ahead = 0;
	return attempt_drain(attempt);
}

/* Runs the calls up to the first failure. *ran: those that began. */
static enum db_kind group_run_calls(struct attempt *attempt, struct context *ctx, size_t *ran)
{
	struct call *group = ctx->calls[0];
	size_t ahead = 0;
	enum db_kind kind = DB_OK;
	for (*ran = 0; kind == DB_OK && *ran < group->inner_count;) {
		kind = group_run_call(attempt, group, (*ran)++, &ahead);
		if (ahead == 0 && kind == DB_OK &&
			(group_find_failed(group, *ran) < *ran || !group_fits(ctx, group, *ran)))
			return kind;
	}
	return kind == DB_OK ? attempt_drain(attempt) : kind;
}

/* Gives the group its outcome; the results of its calls have arrived. */
static void group_conclude(struct context *ctx, size_t ran)
{
	struct call *group = ctx->calls[0];
	size_t failed = group_find_failed(group, ran);
	group->repairs = 0;
	for (size_t i = 0; i < ran; i++)
		group->repairs += group->inner[i].repairs;
	unsigned repairs = group->repairs;
	if (failed < ran)
		group_fail(ctx, group, failed);
	else if (group->state == CALL_PENDING && group_fits(ctx, group, ran))
		context_run(ctx);
	group->repairs = repairs;
}

enum db_kind group_run(struct attempt *attempt, struct context *ctx)
{
	struct call *group = ctx->calls[0];
	size_t ran = 0;
	enum db_kind kind = attempt_drain(attempt); /* what its neighbours sent */
	if (kind != DB_OK)
		return kind;
	group->state = CALL_PENDING;
	group->undo = false;
	if (attempt->transaction->session.level == ATTEMPT_ISOLATING)
		attempt_limit(attempt, group->deadline_ms);
	attempt_send(attempt, "SAVEPOINT stowage_group");
	kind = group_run_calls(attempt, ctx, &ran);
	if (kind != DB_OK) {
		bool own = attempt->transaction->session.level == ATTEMPT_ISOLATING &&
			attempt->failure->tag && attempt_is_command_failure(attempt);
		if (!own)
			return kind;
		attempt_fail_context(attempt, attempt->failure->tag);
	}
	group_conclude(ctx, ran);
	if (group->state != CALL_DONE) {
		group->undo = false;
		attempt_send(attempt, "ROLLBACK TO SAVEPOINT stowage_group");
	}
	attempt_send(attempt, "RELEASE SAVEPOINT stowage_group");
	return attempt_drain(attempt);
}
