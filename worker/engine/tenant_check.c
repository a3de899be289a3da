/* tenant_check.c - looks at the tenants' schemas of a batch, and answers for broken ones */
#include "worker/engine/tenant_check.h"

#include <string.h>

#include "db/state/schema_rows.h"

#define NOT_INITIALIZED "SCHEMA_NOT_INITIALIZED"
#define SEND_INIT "send storage.init with the header schema-name"

static const char *schema_of(const struct job *job)
{
	return job->calls[0].schema;
}

static bool must_look(const struct engine *engine, const struct job *job)
{
	return job_runs(job) && schema_of(job) && !(job_flags(job) & COMMAND_BARE) &&
		!tenants_complete(engine->tenants, schema_of(job));
}

static struct schema_look *find_look(struct schema_look *looks, size_t count, const char *schema)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(looks[i].schema, schema) == 0)
			return &looks[i];
	return NULL;
}

static size_t collect_looks(const struct engine *engine, const struct batch *batch,
	struct schema_look *looks)
{
	size_t count = 0;
	for (size_t i = 0; i < batch->job_count; i++) {
		const struct job *job = &batch->jobs[i];
		if (must_look(engine, job) && !find_look(looks, count, schema_of(job)))
			looks[count++] = (struct schema_look){ .schema = schema_of(job),
				.state = SCHEMA_ABSENT };
	}
	return count;
}

static void refuse_incomplete(struct job *job, struct arena *arena, const struct schema_look *look)
{
	switch (look->state) {
	case SCHEMA_COMPLETE:
		break;
	case SCHEMA_ABSENT:
		job_refuse(job, arena, FAILURE_NOT_FOUND, NOT_INITIALIZED,
			"there is no schema \"%s\": " SEND_INIT, look->schema);
		break;
	case SCHEMA_CLOSED:
		job_refuse(job, arena, FAILURE_NOT_FOUND, NOT_INITIALIZED,
			"the worker's role has no right to use the schema \"%s\"", look->schema);
		break;
	case SCHEMA_LACKS:
		job_refuse(job, arena, FAILURE_NOT_FOUND, NOT_INITIALIZED,
			"the schema \"%s\" lacks %s: " SEND_INIT, look->schema, look->lacks);
		break;
	}
}

enum db_kind tenant_check(struct transaction *transaction, struct batch *batch,
	struct db_failure *failure)
{
	const struct engine *engine = transaction->engine;
	size_t count = 0, most = 0;
	for (size_t i = 0; i < batch->job_count; i++)
		most += must_look(engine, &batch->jobs[i]);
	if (most == 0)
		return DB_OK;
	struct schema_look *looks = arena_calloc(batch->arena, most, sizeof(*looks));
	count = collect_looks(engine, batch, looks);
	enum db_kind kind = schema_rows_look(transaction->connection, transaction->table.params,
		looks, count, failure);
	if (kind != DB_OK)
		return kind;
	for (size_t i = 0; i < count; i++)
		if (looks[i].state == SCHEMA_COMPLETE)
			tenants_learn(engine->tenants, looks[i].schema);
	for (size_t i = 0; i < batch->job_count; i++) {
		struct job *job = &batch->jobs[i];
		const struct schema_look *look = schema_of(job)
			? find_look(looks, count, schema_of(job))
			: NULL;
		if (look && job_runs(job) && !(job_flags(job) & COMMAND_BARE))
			refuse_incomplete(job, batch->arena, look);
	}
	return DB_OK;
}

bool tenant_is_broken(const struct context *ctx, const struct db_failure *failure)
{
	/* Of an object of the schema. Others (the server's transaction ids, authorization) concern all. */
	static const char *const of_schema[] = { "23", "3F", "42", "55", "XX" };
	if (!ctx || !ctx->calls[0]->schema || failure->kind != DB_SETUP)
		return false;
	for (size_t i = 0; i < sizeof(of_schema) / sizeof(of_schema[0]); i++)
		if (strncmp(failure->sqlstate, of_schema[i], 2) == 0)
			return true;
	return false;
}

/* Is a table or a column missing, so that storage.init helps? */
static bool lacks_object(const char *sqlstate)
{
	static const char *const missing[] = { "3F000", "42703", "42704", "42883", "42P01" };
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
		if (strcmp(sqlstate, missing[i]) == 0)
			return true;
	return false;
}

bool tenant_fail(const struct engine *engine, struct context *ctx, const struct db_failure *failure)
{
	bool lacks = lacks_object(failure->sqlstate);
	bool named = (ctx->calls[0]->command->flags & COMMAND_NAMED) != 0;
	if (!tenant_is_broken(ctx, failure))
		return false;
	tenants_forget(engine->tenants, ctx->schema);
	/* The command names its tables, so their absence says nothing about the schema. */
	if (named && strncmp(failure->sqlstate, "3F", 2) != 0)
		return false;
	const char *details = arena_printf(ctx->arena, "{\"sqlstate\":\"%s\"}", failure->sqlstate);
	const char *help = lacks ? SEND_INIT : failure->help;
	for (size_t i = 0; i < ctx->count; i++)
		call_fail(ctx, ctx->calls[i], lacks ? FAILURE_NOT_FOUND : FAILURE_UNAVAILABLE,
			lacks ? NOT_INITIALIZED : "SCHEMA_BROKEN", details, "schema \"%s\": %s%s%s",
			ctx->schema, failure->message, help ? ": " : "", help ? help : "");
	return true;
}
