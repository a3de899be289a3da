/* prune.c - the handlers of prune: from the policies of a request to the tables, and back */
#include "db/retention/prune.h"
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/context.h"

/* Results of a table whose rows take others along: two; of any other: one. */
#define RESULTS_MAX ((size_t)2 * RETENTION_COUNT)

/* All domains' requests have these records, in this form. */
enum {
	POLICY__MAX_AGE = STORAGE_TABLE_RETENTION_POLICY__MAX_AGE,
	POLICY__BATCH_SIZE = STORAGE_TABLE_RETENTION_POLICY__BATCH_SIZE,
};

struct pruning {
	struct context *ctx;
	struct call *call;
	struct prune prune;
	struct prune_item items[RETENTION_COUNT];
	size_t count;
};

/* The value of a key in a map, which may be NULL; of equal keys the last one counts. */
static const struct datum *pruning_find(const struct datum *map, const char *key)
{
	struct datum wanted = datum_string(key);
	const struct datum *found = NULL;
	for (uint32_t i = 0; map && i < map->size; i++)
		if (datum_equals(&map->items[2 * (size_t)i], &wanted))
			found = &map->items[2 * (size_t)i + 1];
	return found;
}

static bool pruning_wrong(struct pruning *p, const struct retention_table *table, const char *field,
	const char *why)
{
	call_fail_at(p->ctx, p->call, "INVALID_RETENTION",
		arena_printf(p->ctx->arena, "%s.%s.%s", table->domain, table->key, field), why);
	return false;
}

static bool pruning_add(struct pruning *p, const struct retention_table *table,
	const struct datum *policy)
{
	struct prune_item *item = &p->items[p->count];
	const struct datum *age = datum_field(policy, POLICY__MAX_AGE);
	const struct datum *batch = datum_field(policy, POLICY__BATCH_SIZE);
	*item = (struct prune_item){ .table = table };
	item->batch_rows = datum_is_null(batch) ? PRUNE_BATCH_ROWS : batch->integer;
	if (!retention_age(age->text, age->size, &item->max_age_ms))
		return pruning_wrong(p, table, "maxAge",
			"is neither a number of milliseconds nor one with a unit: "
			"ms, s, m, h, d, w");
	if (item->batch_rows <= 0)
		return pruning_wrong(p, table, "batchSize", "is not positive");
	p->count++;
	return true;
}

static int64_t pruning_number(const struct pruning *p, const char *field, int64_t otherwise)
{
	const struct datum *given = binding_path(p->call, field, NULL);
	if (!given)
		return otherwise;
	return given->integer > 0 ? given->integer : 0;
}

static struct pruning *pruning_new(struct context *ctx)
{
	struct pruning *p = arena_calloc(ctx->arena, 1, sizeof(*p));
	p->ctx = ctx;
	p->call = ctx->calls[0];
	p->prune.bounds = (struct prune_bounds){ .batches = pruning_number(p, "maxBatches", -1),
		.rows = pruning_number(p, "maxRows", -1),
		.pause_ms = pruning_number(p, "pauseMs", 0) };
	return p;
}

/* --- the result --- */

static struct datum pruning_result(struct pruning *p, const struct prune_item *item,
	const char *table, int64_t deleted)
{
	struct datum *fields = arena_calloc(p->ctx->arena, STORAGE_PRUNE_RESULT_SIZE,
		sizeof(*fields));
	fields[STORAGE_PRUNE_RESULT__DOMAIN] = datum_string(item->table->domain);
	fields[STORAGE_PRUNE_RESULT__TABLE] = datum_string(table);
	fields[STORAGE_PRUNE_RESULT__DELETED] = datum_integer(deleted);
	fields[STORAGE_PRUNE_RESULT__DONE] = datum_boolean(item->done);
	return datum_record(fields, STORAGE_PRUNE_RESULT_SIZE);
}

static void pruning_reply(struct pruning *p)
{
	struct datum *results = arena_calloc(p->ctx->arena, RESULTS_MAX, sizeof(*results));
	uint32_t count = 0;
	for (size_t i = 0; i < p->count; i++) {
		const struct prune_item *item = &p->items[i];
		if (item->failed)
			continue;
		if (item->table->part)
			results[count++] = pruning_result(p, item, item->table->part, item->parts);
		results[count++] = pruning_result(p, item, item->table->table, item->deleted);
	}
	call_reply(p->ctx, p->call, datum_array(results, count));
}

static void pruning_run(struct pruning *p)
{
	if (context_prune(p->ctx, p->call, &p->prune, p->items, p->count))
		pruning_reply(p);
}

/* --- the handlers --- */

void prune_domain(struct context *ctx)
{
	struct pruning *p = pruning_new(ctx);
	const struct datum *policies = binding_path(p->call, "policies", NULL);
	for (size_t i = 0; i < RETENTION_COUNT; i++) {
		const struct retention_table *table = &retention_tables[i];
		const struct datum *policy = strcmp(table->domain, p->call->command->domain)
			? NULL
			: pruning_find(policies, table->key);
		if (policy && !pruning_add(p, table, policy))
			return;
	}
	pruning_run(p);
}

/* A request without policies uses the policies of the configuration. */
static bool pruning_add_table(struct pruning *p, const struct datum *retention,
	const struct retention_table *table)
{
	const struct datum *policy = pruning_find(pruning_find(retention, table->domain),
		table->key);
	int64_t age_ms = p->ctx->settings->retention_ms[table - retention_tables];
	if (retention)
		return !policy || pruning_add(p, table, policy);
	if (age_ms > 0)
		p->items[p->count++] = (struct prune_item){
			.table = table, .max_age_ms = age_ms, .batch_rows = PRUNE_BATCH_ROWS
		};
	return true;
}

void prune_storage(struct context *ctx)
{
	struct pruning *p = pruning_new(ctx);
	const struct datum *retention = binding_path(p->call, "retention", NULL);
	for (size_t i = 0; i < RETENTION_COUNT; i++)
		if (!pruning_add_table(p, retention, &retention_tables[i]))
			return;
	p->prune.skip_failed = true;
	pruning_run(p);
}
