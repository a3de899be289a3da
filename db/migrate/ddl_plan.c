/* ddl_plan.c - compares each object of a script with the catalog and plans the missing steps */
#include "db/migrate/ddl_plan.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/text.h"

#define GONE_MAX 8
#define CHANGE_MAX 8

/* The state while a plan is built. */
struct planner {
	const struct ddl_script *script;
	const struct ddl_catalog *catalog;
	struct ddl_plan *plan;
	const char *gone[GONE_MAX]; /* tables that a planned change drops or renames */
	size_t gone_count;
	const char *changes[CHANGE_MAX]; /* the planned changes */
	size_t change_count;
};

static void *ddl_plan_grow(void *array, size_t count, size_t size)
{
	array = realloc(array, (count + 1) * size);
	if (!array)
		abort();
	return array;
}

static bool ddl_plan_among(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(names[i], name))
			return true;
	}
	return false;
}

static void ddl_plan_note(const char **names, size_t *count, size_t max, const char *name)
{
	if (*count == max)
		abort();
	names[(*count)++] = name;
}

/* Does the table exist, and does no planned change take it away? */
static bool ddl_plan_table_there(const struct planner *planner, const char *table)
{
	return ddl_catalog_table(planner->catalog, table) &&
		!ddl_plan_among(planner->gone, planner->gone_count, table);
}

/* Adds an empty step, which owns `lack`. */
static struct ddl_step *ddl_plan_add_step(struct planner *planner, enum ddl_mode mode, bool severe,
	const struct ddl_object *object, char *lack)
{
	struct ddl_plan *plan = planner->plan;
	struct ddl_step step = { .mode = mode,
		.severe = severe,
		.lack = lack,
		.kind = object->source.kind,
		.object = object->name.text };

	plan->steps = ddl_plan_grow(plan->steps, plan->step_count, sizeof step);
	plan->steps[plan->step_count] = step;
	return &plan->steps[plan->step_count++];
}

static void ddl_plan_add_sql(struct ddl_step *step, char *sql)
{
	step->sql = ddl_plan_grow(step->sql, step->sql_count, sizeof *step->sql);
	step->sql[step->sql_count++] = sql;
}

/* Adds the object's statements from number `first` on. */
static void ddl_plan_add_statements(struct planner *planner, struct ddl_step *step,
	const struct ddl_object *object, size_t first)
{
	bool concurrently = step->mode == DDL_CONCURRENT;
	char *sql;

	for (size_t i = first; (sql = ddl_statement(planner->script, object, i, concurrently)); i++)
		ddl_plan_add_sql(step, sql);
}

/* Builds a step's `lack` or a flaw's text. */
static char *ddl_plan_lack(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *ddl_plan_lack(const char *format, ...)
{
	struct buffer text = { 0 };
	va_list args;

	va_start(args, format);
	text_addv(&text, format, args);
	va_end(args);
	return text_take(&text);
}

static void ddl_plan_keep_flaw(struct ddl_plan *plan, struct ddl_flaw flaw)
{
	plan->flaws = ddl_plan_grow(plan->flaws, plan->flaw_count, sizeof *plan->flaws);
	plan->flaws[plan->flaw_count++] = flaw;
}

static void ddl_plan_add_flaw(struct planner *planner, bool severe, char *text)
{
	ddl_plan_keep_flaw(planner->plan, (struct ddl_flaw){ .severe = severe, .text = text });
}

void ddl_plan_flaw(struct ddl_plan *plan, bool fails, char *text)
{
	ddl_plan_keep_flaw(plan, (struct ddl_flaw){ .fails = fails, .text = text });
}

static const struct ddl_later *ddl_plan_find_later(const struct ddl_source *table,
	const char *column)
{
	for (const struct ddl_later *later = table->later; later->name; later++) {
		if (!strcmp(later->name, column))
			return later;
	}
	return NULL;
}

/* Adds the columns that the reference adds to older tables, in its order. Other differences are flaws. */
static void ddl_plan_columns(struct planner *planner, const struct ddl_object *object)
{
	const char *table = object->source.table, *schema = ddl_script_schema(planner->script);
	struct ddl_step *step = NULL;

	for (const struct ddl_later *later = object->source.later; later->name; later++) {
		if (ddl_catalog_column(planner->catalog, table, later->name))
			continue;
		if (!step)
			step = ddl_plan_add_step(planner, DDL_ALONE, true, object,
				ddl_plan_lack("column \"%s\" of table %s is missing", later->name,
					table));
		struct buffer sql = { 0 };
		text_add(&sql, "ALTER TABLE ");
		text_add_ident(&sql, schema);
		text_addf(&sql, ".%s ADD COLUMN IF NOT EXISTS %s", table, later->definition);
		ddl_plan_add_sql(step, text_take(&sql));
	}
	for (const struct ddl_column *column = object->source.columns; column->name; column++) {
		const char *type = ddl_catalog_column(planner->catalog, table, column->name);
		if (!type && !ddl_plan_find_later(&object->source, column->name))
			ddl_plan_add_flaw(planner, true,
				ddl_plan_lack("column \"%s\" of table %s is missing, and no "
					      "migration adds it",
					column->name, table));
		else if (type && strcmp(type, column->type))
			ddl_plan_add_flaw(planner, false,
				ddl_plan_lack(
					"column \"%s\" of table %s has the type %s instead of %s",
					column->name, table, type, column->type));
	}
}

static void ddl_plan_table(struct planner *planner, const struct ddl_object *object)
{
	const char *table = object->source.table;

	if (ddl_plan_table_there(planner, table)) {
		planner->plan->no_tables = false;
		ddl_plan_columns(planner, object);
		return;
	}
	struct ddl_step *step = ddl_plan_add_step(planner, DDL_TOGETHER, true, object,
		ddl_plan_lack("table %s is missing", table));
	ddl_plan_add_statements(planner, step, object, 0);
}

static enum ddl_mode ddl_plan_mode_for(const struct planner *planner, const char *table)
{
	return ddl_plan_table_there(planner, table) ? DDL_ALONE : DDL_TOGETHER;
}

/* For an existing table, the step begins with the statements that must precede the constraint. */
static void ddl_plan_constraint(struct planner *planner, const struct ddl_object *object)
{
	const struct ddl_source *source = &object->source;
	enum ddl_mode mode = ddl_plan_mode_for(planner, source->table);

	if (mode == DDL_ALONE &&
		(source->kind == DDL_PRIMARY
				? ddl_catalog_primary(planner->catalog, source->table)
				: ddl_catalog_constraint(planner->catalog, object->name.text)))
		return;
	struct ddl_step *step = ddl_plan_add_step(planner, mode, true, object,
		ddl_plan_lack("constraint %s of table %s is missing", object->name.text,
			source->table));
	for (size_t i = 0; mode == DDL_ALONE && i < ddl_script_count(planner->script); i++) {
		const struct ddl_object *before = ddl_script_object(planner->script, i);
		if (before->source.kind == DDL_BEFORE && !strcmp(before->source.name, source->name))
			ddl_plan_add_statements(planner, step, before, 0);
	}
	ddl_plan_add_statements(planner, step, object, 0);
}

static void ddl_plan_replica(struct planner *planner, const struct ddl_object *object)
{
	const char *table = object->source.table;

	if (ddl_plan_table_there(planner, table) &&
		ddl_catalog_index(planner->catalog, object->name.text) == DDL_INDEX_REPLICA)
		return;
	struct ddl_step *step = ddl_plan_add_step(planner, ddl_plan_mode_for(planner, table), false,
		object,
		ddl_plan_lack("index %s is not the replica identity of table %s", object->name.text,
			table));
	ddl_plan_add_statements(planner, step, object, 0);
}

/* Adds a statement: `before`, the object's qualified name, `after`. */
static void ddl_plan_add_on(struct planner *planner, struct ddl_step *step, const char *before,
	const char *name, const char *after)
{
	struct buffer sql = { 0 };

	text_add(&sql, before);
	text_add_ident(&sql, ddl_script_schema(planner->script));
	text_add(&sql, ".");
	text_add_ident(&sql, name);
	text_add(&sql, after);
	ddl_plan_add_sql(step, text_take(&sql));
}

/* CREATE OR REPLACE cannot change what a function returns, so the step first drops another release's
 * version of the worker's own functions. The text of the body identifies a version. */
static void ddl_plan_function(struct planner *planner, const struct ddl_object *object)
{
	const char *name = object->name.text;
	char *sql = ddl_statement(planner->script, object, 0, false);
	const char *quote = ddl_body_quote(ddl_script_schema(planner->script));
	char *body = strstr(sql, quote) + strlen(quote);

	*strstr(body, quote) = '\0';
	if (!ddl_catalog_function(planner->catalog, name, body)) {
		bool other = ddl_catalog_function(planner->catalog, name, NULL);
		struct ddl_step *step = ddl_plan_add_step(planner, DDL_TOGETHER, true, object,
			ddl_plan_lack(other ? "function %s belongs to another release"
					    : "function %s is missing",
				name));
		if (other && object->source.own)
			ddl_plan_add_on(planner, step, "DROP FUNCTION ", name, "");
		ddl_plan_add_statements(planner, step, object, 0);
	}
	free(sql);
}

static void ddl_plan_trigger(struct planner *planner, const struct ddl_object *object)
{
	const struct ddl_source *source = &object->source;

	if (ddl_plan_table_there(planner, source->table) &&
		ddl_catalog_trigger(planner->catalog, source->table, object->name.text,
			source->calls))
		return;
	struct ddl_step *step = ddl_plan_add_step(planner,
		ddl_plan_mode_for(planner, source->table), true, object,
		ddl_plan_lack("trigger %s of table %s is missing or differs", object->name.text,
			source->table));
	ddl_plan_add_statements(planner, step, object, 0);
}

/* Does the table have, or will it have, the column type that the object needs? */
static bool ddl_plan_has_needed(const struct planner *planner, const struct ddl_source *source)
{
	if (!source->needs_column || !ddl_plan_table_there(planner, source->table))
		return true;
	const char *type = ddl_catalog_column(planner->catalog, source->table,
		source->needs_column);
	return type && !strcmp(type, source->needs_type);
}

/* CREATE INDEX CONCURRENTLY holds a lock on the table while it waits for every older snapshot, including
 * the snapshot of a session that waits for this lock. An init of the application at the same time would
 * deadlock with it. On a table without rows, a plain build is short and waits for no snapshot. */
static enum ddl_mode ddl_plan_index_mode(const struct planner *planner,
	const struct ddl_object *object, enum ddl_index_state state)
{
	const char *table = object->source.table;
	bool there = ddl_plan_table_there(planner, table);

	if (there && state == DDL_INDEX_NONE && ddl_catalog_empty(planner->catalog, table))
		return DDL_BRIEF;
	if (object->locking)
		return DDL_BRIEF;
	/* A custom index may fail, and must not roll back the new tables. */
	return there || object->custom ? DDL_CONCURRENT : DDL_TOGETHER;
}

static void ddl_plan_index(struct planner *planner, const struct ddl_object *object)
{
	const char *table = object->source.table, *name = object->name.text;
	enum ddl_index_state state = ddl_catalog_index(planner->catalog, name);

	if (!ddl_plan_has_needed(planner, &object->source) || state == DDL_INDEX_VALID ||
		state == DDL_INDEX_REPLICA || state == DDL_INDEX_BUILDING)
		return;
	struct ddl_step *step = ddl_plan_add_step(planner,
		ddl_plan_index_mode(planner, object, state), false, object,
		ddl_plan_lack("index %s of table %s is %s", name, table,
			state == DDL_INDEX_BROKEN ? "invalid" : "missing"));
	if (step->mode == DDL_BRIEF)
		ddl_plan_add_on(planner, step, "LOCK TABLE ", table, " IN SHARE MODE NOWAIT");
	if (state == DDL_INDEX_BROKEN)
		ddl_plan_add_on(planner, step,
			step->mode == DDL_BRIEF ? "DROP INDEX IF EXISTS "
						: "DROP INDEX CONCURRENTLY IF EXISTS ",
			name, "");
	ddl_plan_add_statements(planner, step, object, 0);
}

static void ddl_plan_obsolete(struct planner *planner, const struct ddl_object *object)
{
	if (ddl_catalog_index(planner->catalog, object->name.text) == DDL_INDEX_NONE)
		return;
	struct ddl_step *step = ddl_plan_add_step(planner, DDL_CONCURRENT, false, object,
		ddl_plan_lack("index %s of an older release still exists", object->name.text));
	ddl_plan_add_statements(planner, step, object, 0);
}

static void ddl_plan_change(struct planner *planner, const struct ddl_object *object)
{
	const struct ddl_source *source = &object->source;
	bool after = source->after &&
		ddl_plan_among(planner->changes, planner->change_count, source->after);

	if (!after &&
		!(ddl_plan_table_there(planner, source->when_table) &&
			ddl_catalog_column(planner->catalog, source->when_table,
				source->when_column)))
		return;
	ddl_plan_note(planner->changes, &planner->change_count, CHANGE_MAX, source->name);
	for (size_t i = 0; source->gone && source->gone[i]; i++)
		ddl_plan_note(planner->gone, &planner->gone_count, GONE_MAX, source->gone[i]);
	struct ddl_step *step = ddl_plan_add_step(planner, DDL_TOGETHER, true, object,
		ddl_plan_lack("table %s has the layout of an older release", source->when_table));
	ddl_plan_add_statements(planner, step, object, 0);
}

static void ddl_plan_repair(struct planner *planner, const struct ddl_object *object)
{
	if (!ddl_plan_table_there(planner, object->source.table) ||
		!ddl_plan_has_needed(planner, &object->source))
		return;
	struct ddl_step *step = ddl_plan_add_step(planner, DDL_ALONE, false, object,
		ddl_plan_lack("rows of table %s have the format of an older release",
			object->source.table));
	step->probe = ddl_statement(planner->script, object, 0, false);
	ddl_plan_add_statements(planner, step, object, 1);
}

static void ddl_plan_version(struct planner *planner, const struct ddl_object *object)
{
	int version = ddl_catalog_version(planner->catalog);

	if (version > ddl_version) {
		char *text =
			ddl_plan_lack("the worker's own tables have version %d, newer than this "
				      "binary's version %d: use the newer binary",
				version, ddl_version);
		planner->plan->too_new = text;
		ddl_plan_add_flaw(planner, true, text);
	} else if (version < ddl_version) {
		struct ddl_step *step = ddl_plan_add_step(planner, DDL_ALONE, true, object,
			ddl_plan_lack(
				"the worker's own tables have version %d, older than this binary's version %d",
				version, ddl_version));
		ddl_plan_add_statements(planner, step, object, 0);
	}
}

static void ddl_plan_object(struct planner *planner, const struct ddl_object *object)
{
	bool newer = ddl_catalog_version(planner->catalog) > ddl_version;

	if (newer && object->source.own && object->source.kind != DDL_VERSION)
		return;
	switch (object->source.kind) {
	case DDL_TABLE:
		ddl_plan_table(planner, object);
		break;
	case DDL_CONSTRAINT:
	case DDL_PRIMARY:
		ddl_plan_constraint(planner, object);
		break;
	case DDL_REPLICA:
		ddl_plan_replica(planner, object);
		break;
	case DDL_FUNCTION:
		ddl_plan_function(planner, object);
		break;
	case DDL_TRIGGER:
		ddl_plan_trigger(planner, object);
		break;
	case DDL_INDEX:
		ddl_plan_index(planner, object);
		break;
	case DDL_OBSOLETE:
		ddl_plan_obsolete(planner, object);
		break;
	case DDL_BEFORE:
		break; /* part of the constraint's step */
	case DDL_CHANGE:
		ddl_plan_change(planner, object);
		break;
	case DDL_REPAIR:
		ddl_plan_repair(planner, object);
		break;
	case DDL_VERSION:
		ddl_plan_version(planner, object);
		break;
	}
}

static void ddl_plan_schema(struct planner *planner)
{
	static const struct ddl_object schema = { .source = { .kind = DDL_TABLE } };
	struct buffer sql = { 0 };

	planner->plan->no_schema = true;
	struct ddl_step *step = ddl_plan_add_step(planner, DDL_TOGETHER, true, &schema,
		ddl_plan_lack("schema \"%s\" does not exist", ddl_script_schema(planner->script)));
	text_add(&sql, "CREATE SCHEMA IF NOT EXISTS ");
	text_add_ident(&sql, ddl_script_schema(planner->script));
	ddl_plan_add_sql(step, text_take(&sql));
}

/* A stable sort: the order within a mode stays. */
static void ddl_plan_sort_by_mode(struct ddl_plan *plan)
{
	for (size_t i = 1; i < plan->step_count; i++) {
		struct ddl_step step = plan->steps[i];
		size_t at = i;
		for (; at > 0 && plan->steps[at - 1].mode > step.mode; at--)
			plan->steps[at] = plan->steps[at - 1];
		plan->steps[at] = step;
	}
}

struct ddl_plan *ddl_plan_new(const struct ddl_script *script, const struct ddl_catalog *catalog)
{
	struct ddl_plan *plan = calloc(1, sizeof *plan);
	struct planner planner = { .script = script, .catalog = catalog, .plan = plan };

	if (!plan)
		abort();
	plan->schema = ddl_script_schema(script);
	plan->no_tables = true;
	if (!ddl_catalog_schema(catalog))
		ddl_plan_schema(&planner);
	for (size_t i = 0; i < ddl_script_count(script); i++)
		ddl_plan_object(&planner, ddl_script_object(script, i));
	for (size_t i = 0; i < ddl_script_complaint_count(script); i++)
		ddl_plan_flaw(plan, true, ddl_plan_lack("%s", ddl_script_complaint(script, i)));
	ddl_plan_sort_by_mode(plan);
	return plan;
}

static void ddl_plan_free_step(struct ddl_step *step)
{
	for (size_t i = 0; i < step->sql_count; i++)
		free(step->sql[i]);
	free(step->sql);
	free(step->lack);
	free(step->probe);
}

void ddl_plan_free(struct ddl_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->step_count; i++)
		ddl_plan_free_step(&plan->steps[i]);
	for (size_t i = 0; i < plan->flaw_count; i++)
		free(plan->flaws[i].text);
	free(plan->steps);
	free(plan->flaws);
	free(plan);
}

void ddl_plan_drop(struct ddl_plan *plan, size_t i)
{
	ddl_plan_free_step(&plan->steps[i]);
	memmove(&plan->steps[i], &plan->steps[i + 1],
		(plan->step_count - i - 1) * sizeof *plan->steps);
	plan->step_count--;
}
