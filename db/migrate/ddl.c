/* ddl.c - the script of one schema: its objects, their SQL, and the export of all of it */
#include "db/migrate/ddl.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/migrate/ddl_index.h"
#include "schemas/base/text.h"

struct ddl_script {
	char schema[DDL_NAME_MAX + 1];
	struct ddl_object *objects;
	size_t count;
	void **kept; /* memory that the objects of custom indexes point to */
	size_t kept_count;
	char **complaints;
	size_t complaint_count;
};

/* Makes room for one more element behind `count` elements. */
static void *ddl_grow(void *array, size_t count, size_t size)
{
	array = realloc(array, (count + 1) * size);
	if (!array)
		abort();
	return array;
}

/* Hands `memory` to the script, which frees it. */
static void *ddl_keep(struct ddl_script *script, void *memory)
{
	if (!memory)
		abort();
	script->kept = ddl_grow(script->kept, script->kept_count, sizeof *script->kept);
	script->kept[script->kept_count++] = memory;
	return memory;
}

/* Is one of the first `count` objects of this kind and name? */
static bool ddl_has_name(const struct ddl_script *script, size_t count, enum ddl_kind kind,
	const char *name)
{
	for (size_t i = 0; i < count; i++) {
		const struct ddl_object *object = &script->objects[i];
		if (object->source.kind == kind && !strcmp(object->name.text, name))
			return true;
	}
	return false;
}

/* NULL: this schema gets no such object. */
static struct ddl_object *ddl_add_object(struct ddl_script *script, const struct ddl_source *source)
{
	struct ddl_object object = { .source = *source };

	if (!ddl_name_make(source->naming, script->schema, source->name, &object.name))
		return NULL;
	script->objects = ddl_grow(script->objects, script->count, sizeof object);
	script->objects[script->count] = object;
	return &script->objects[script->count++];
}

static void ddl_add_sources(struct ddl_script *script, const struct ddl_options *options)
{
	for (size_t i = 0; i < ddl_source_count; i++) {
		const struct ddl_source *source = &ddl_sources[i];
		if (!(source->own ? options->own_tables : options->reference_tables))
			continue;
		if (source->by_default && options->skip_default_indexes)
			continue;
		(void)ddl_add_object(script, source);
	}
}

/*
 * Under a long schema name, two names can become equal when they are cut off. The script then leaves the
 * index out; the reference ends up without it, too. The reference would also leave out the primary key
 * of the spans. The script gives that key a hashed name, because Stowage cannot store spans without it.
 */
static void ddl_resolve_collisions(struct ddl_script *script)
{
	size_t all = script->count;

	script->count = 0;
	for (size_t i = 0; i < all; i++) {
		struct ddl_object object = script->objects[i];
		const char *name = object.name.text;
		enum ddl_kind kind = object.source.kind;
		if (kind == DDL_PRIMARY && ddl_has_name(script, all, DDL_CONSTRAINT, name))
			ddl_name_hash(script->schema, object.source.name, &object.name);
		if (kind == DDL_INDEX &&
			(ddl_has_name(script, all, DDL_CONSTRAINT, name) ||
				ddl_has_name(script, all, DDL_PRIMARY, name) ||
				ddl_has_name(script, script->count, DDL_INDEX, name)))
			continue;
		script->objects[script->count++] = object;
	}
}

static void ddl_complain(struct ddl_script *script, char *text)
{
	script->complaints = ddl_grow(script->complaints, script->complaint_count,
		sizeof *script->complaints);
	script->complaints[script->complaint_count++] = text;
}

/* Is the name taken by another object of the script, whose index would hide this one? */
static bool ddl_name_taken(const struct ddl_script *script, const char *name)
{
	return ddl_has_name(script, script->count, DDL_INDEX, name) ||
		ddl_has_name(script, script->count, DDL_CONSTRAINT, name) ||
		ddl_has_name(script, script->count, DDL_PRIMARY, name);
}

static void ddl_add_custom(struct ddl_script *script, const struct ddl_index *index)
{
	char *reason = ddl_index_refuse(index);

	if (!reason && ddl_name_taken(script, index->name)) {
		struct buffer why = { 0 };
		text_addf(&why,
			"index %s: another index of the configuration or of the tables has this name",
			index->name);
		reason = text_take(&why);
	}
	if (reason) {
		ddl_complain(script, reason);
		return;
	}
	const char **sql = ddl_keep(script, calloc(2, sizeof *sql));
	sql[0] = ddl_keep(script, ddl_index_sql(index));
	struct ddl_source source = { .kind = DDL_INDEX,
		.domain = "custom",
		.sql = sql,
		.name = ddl_keep(script, strdup(index->name)),
		.table = ddl_keep(script, strdup(index->table)) };
	struct ddl_object *object = ddl_add_object(script, &source);
	if (!object)
		return;
	object->custom = true;
	object->locking = index->locking;
}

struct ddl_script *ddl_script_new(const struct ddl_options *options)
{
	struct ddl_script *script = calloc(1, sizeof *script);

	if (!script || !ddl_schema_valid(options->schema))
		abort();
	snprintf(script->schema, sizeof script->schema, "%s", options->schema);
	ddl_add_sources(script, options);
	for (size_t i = 0; i < options->index_count; i++)
		ddl_add_custom(script, &options->indexes[i]);
	ddl_resolve_collisions(script);
	return script;
}

void ddl_script_free(struct ddl_script *script)
{
	if (!script)
		return;
	for (size_t i = 0; i < script->kept_count; i++)
		free(script->kept[i]);
	for (size_t i = 0; i < script->complaint_count; i++)
		free(script->complaints[i]);
	free(script->kept);
	free(script->complaints);
	free(script->objects);
	free(script);
}

const char *ddl_script_schema(const struct ddl_script *script)
{
	return script->schema;
}

size_t ddl_script_count(const struct ddl_script *script)
{
	return script->count;
}

const struct ddl_object *ddl_script_object(const struct ddl_script *script, size_t i)
{
	return &script->objects[i];
}

size_t ddl_script_complaint_count(const struct ddl_script *script)
{
	return script->complaint_count;
}

const char *ddl_script_complaint(const struct ddl_script *script, size_t i)
{
	return script->complaints[i];
}

/* Longer than a schema's name, so that no name can end the body. */
#define LONG_QUOTE "$stowage_body_with_a_quote_that_is_longer_than_the_name_of_any_schema$"
static_assert(sizeof(LONG_QUOTE) > DDL_NAME_MAX + 1, "a name may hold it");

const char *ddl_body_quote(const char *schema)
{
	return strchr(schema, '$') ? LONG_QUOTE : "$$";
}

/* Expands the placeholder at `at` and returns its length; 0: no placeholder begins there. */
static size_t ddl_add_placeholder(struct buffer *sql, const char *at, const char *schema,
	const char *name, bool concurrently)
{
	static const struct {
		const char *written;
		size_t len;
	} places[] = { { ":\"schema\"", 9 }, { ":'schema'", 9 }, { ":\"name\"", 7 },
		{ ":'name'", 7 }, { ":concurrently ", 14 }, { ":version", 8 }, { "$$", 2 } };
	size_t i = 0;

	while (i < sizeof places / sizeof *places && strncmp(at, places[i].written, places[i].len))
		i++;
	switch (i) {
	case 0:
		text_add_ident(sql, schema);
		break;
	case 1:
		text_add_literal(sql, schema);
		break;
	case 2:
		text_add_ident(sql, name);
		break;
	case 3:
		text_add_literal(sql, name);
		break;
	case 4:
		text_add(sql, concurrently ? "CONCURRENTLY " : "");
		break;
	case 5:
		text_addf(sql, "%d", ddl_version);
		break;
	case 6:
		text_add(sql, ddl_body_quote(schema));
		break;
	default:
		return 0;
	}
	return places[i].len;
}

char *ddl_statement(const struct ddl_script *script, const struct ddl_object *object, size_t i,
	bool concurrently)
{
	return ddl_statement_in(script->schema, object->name.text, object, i, concurrently);
}

char *ddl_statement_in(const char *schema, const char *name, const struct ddl_object *object,
	size_t i, bool concurrently)
{
	struct buffer sql = { 0 };
	const char *at = object->source.sql[i];

	if (!at)
		return NULL;
	while (*at) {
		size_t plain = 1 + strcspn(at + 1, ":$");
		size_t used = *at == ':' || *at == '$'
			? ddl_add_placeholder(&sql, at, schema, name, concurrently)
			: 0;
		if (!used)
			buffer_add(&sql, at, plain);
		at += used ? used : plain;
	}
	return text_take(&sql);
}

/* ADD CONSTRAINT has no IF NOT EXISTS: wraps the statement so that it can run again. */
static void ddl_export_constraint(struct buffer *out, const struct ddl_object *object,
	const char *schema, const char *statement)
{
	const char *quote = ddl_body_quote(schema);

	text_addf(out,
		"DO %s BEGIN\n\tIF NOT EXISTS (SELECT FROM pg_catalog.pg_constraint "
		"WHERE conname = ",
		quote);
	text_add_literal(out, object->name.text);
	text_add(out,
		"\n\t\tAND connamespace = (SELECT oid FROM pg_catalog.pg_namespace "
		"WHERE nspname = ");
	text_add_literal(out, schema);
	text_addf(out, ")) THEN\n\t%s;\n\tEND IF;\nEND %s", statement, quote);
}

static void ddl_export_object(struct buffer *out, const struct ddl_script *script,
	const struct ddl_object *object)
{
	enum ddl_kind kind = object->source.kind;

	/* Only older schemas need these. */
	if (kind == DDL_OBSOLETE || kind == DDL_BEFORE || kind == DDL_CHANGE || kind == DDL_REPAIR)
		return;
	char *statement;
	for (size_t i = 0; (statement = ddl_statement(script, object, i, false)); i++) {
		if (kind == DDL_CONSTRAINT || kind == DDL_PRIMARY)
			ddl_export_constraint(out, object, script->schema, statement);
		else
			text_add(out, statement);
		text_add(out, ";\n\n");
		free(statement);
	}
}

char *ddl_export(const char *const *schemas, size_t count)
{
	struct buffer out = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct ddl_options options = {
			.schema = schemas[i], .reference_tables = true, .own_tables = true
		};
		struct ddl_script *script = ddl_script_new(&options);
		text_add(&out, "CREATE SCHEMA IF NOT EXISTS ");
		text_add_ident(&out, schemas[i]);
		text_add(&out, ";\n\n");
		for (size_t j = 0; j < script->count; j++)
			ddl_export_object(&out, script, &script->objects[j]);
		ddl_script_free(script);
	}
	return text_take(&out);
}
