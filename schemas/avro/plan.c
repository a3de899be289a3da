/*
 * plan.c - compiles how to read data of a writer's type as a reader's type
 *
 * The functions recurse over the types, up to TYPE_DEPTH_MAXIMUM levels.
 */
#include "schemas/avro/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "schemas/avro/type_path.h"

/* Each use of a record is compiled again, so nested uses multiply. Larger plans are rejected. */
#define NODES_MAXIMUM 100000

struct planner {
	struct arena *arena;
	struct type_path path;
	size_t nodes;
	char *error;
	size_t error_size;
};

static const struct plan *plan_resolve(struct planner *p, const struct type *writer,
	const struct type *reader);

__attribute__((format(printf, 2, 3))) static bool plan_refuse(struct planner *p, const char *format,
	...)
{
	char where[256], reason[256];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	type_path_text(&p->path, where, sizeof(where));
	snprintf(p->error, p->error_size, "%s%s%s", where, *where ? ": " : "", reason);
	return false;
}

static bool plan_is_text(enum type_kind kind)
{
	return kind == TYPE_STRING || kind == TYPE_BYTES;
}

/* Sets the operation for a scalar. False if the reader's type can't hold the writer's. */
static bool scalar_op(const struct type *writer, const struct type *reader, enum plan_op *op)
{
	enum type_kind from = writer->kind, to = reader->kind;
	bool to_real = to == TYPE_FLOAT || to == TYPE_DOUBLE;
	if (from == TYPE_INT && (to == TYPE_INT || to == TYPE_LONG || to_real))
		*op = to_real ? PLAN_INT_AS_REAL : PLAN_INT;
	else if (from == TYPE_LONG && (to == TYPE_LONG || to_real))
		*op = to_real ? PLAN_LONG_AS_REAL : PLAN_LONG;
	else if (from == TYPE_FLOAT && to_real)
		*op = PLAN_FLOAT;
	else if (from == TYPE_DOUBLE && to == TYPE_DOUBLE)
		*op = PLAN_DOUBLE;
	else if (plan_is_text(from) && to == TYPE_BYTES)
		*op = PLAN_BYTES;
	else if (plan_is_text(from) && to == TYPE_STRING)
		*op = reader->logical == LOGICAL_JSON ? PLAN_JSON : PLAN_TEXT;
	else if (from == TYPE_BOOLEAN && to == TYPE_BOOLEAN)
		*op = PLAN_BOOLEAN;
	else
		return from == TYPE_NULL && (to == TYPE_NULL || reader->nullable);
	return true;
}

static size_t scalar_least(enum type_kind writer)
{
	if (writer == TYPE_NULL)
		return 0;
	return writer == TYPE_FLOAT ? 4 : writer == TYPE_DOUBLE ? 8 : 1;
}

/* Adds the defaults of the reader's fields that the writer lacks. */
static bool plan_fill(struct planner *p, struct plan *plan, const struct type *reader,
	const struct type *writer)
{
	struct plan_fill *fills = arena_calloc(p->arena, reader->field_count, sizeof(*fills));
	plan->fills = fills;
	for (size_t i = 0; i < reader->field_count; i++) {
		const struct type_field *field = &reader->fields[i];
		if (type_field_index(writer, field->name, strlen(field->name)) >= 0)
			continue;
		if (!field->has_default)
			return plan_refuse(p,
				"field %s is not in the writer's %s and has no default",
				field->name, writer->name);
		fills[plan->fill_count++] = (struct plan_fill){ i, &field->default_value };
	}
	return true;
}

static bool resolve_record(struct planner *p, struct plan *plan, const struct type *writer,
	const struct type *reader)
{
	struct plan_step *steps = arena_calloc(p->arena, writer->field_count, sizeof(*steps));
	plan->op = PLAN_RECORD;
	plan->least = 0; /* a record has no bytes except its fields */
	plan->steps = steps;
	plan->step_count = writer->field_count;
	plan->field_count = (uint32_t)reader->field_count;
	for (size_t i = 0; i < writer->field_count; i++) {
		const struct type_field *field = &writer->fields[i];
		int target = type_field_index(reader, field->name, strlen(field->name));
		type_path_index(&p->path, i);
		steps[i].target = target;
		steps[i].plan = plan_resolve(p, field->type,
			target >= 0 ? reader->fields[target].type : field->type);
		if (!steps[i].plan)
			return false;
		plan->least += steps[i].plan->least;
	}
	return true;
}

static bool resolve_items(struct planner *p, struct plan *plan, const struct type *writer,
	const struct type *reader)
{
	plan->op = writer->kind == TYPE_ARRAY ? PLAN_ARRAY : PLAN_MAP;
	plan->least = 1;
	plan->item = plan_resolve(p, writer->item, reader->item);
	return plan->item != NULL;
}

static bool resolve_container(struct planner *p, struct plan *plan, const struct type *writer,
	const struct type *reader)
{
	if (writer->kind != reader->kind)
		return plan_refuse(p, "%s can't be read as %s", type_kind_name(writer->kind),
			type_kind_name(reader->kind));
	type_path_enter(&p->path, writer);
	bool ok = writer->kind == TYPE_RECORD ? resolve_record(p, plan, writer, reader)
					      : resolve_items(p, plan, writer, reader);
	type_path_leave(&p->path);
	return ok && (writer->kind != TYPE_RECORD || plan_fill(p, plan, reader, writer));
}

static const struct plan *plan_resolve(struct planner *p, const struct type *writer,
	const struct type *reader)
{
	struct plan *plan = arena_calloc(p->arena, 1, sizeof(*plan));
	plan->writer = writer;
	plan->takes_null = reader->nullable || reader->kind == TYPE_NULL;
	plan->least = scalar_least(writer->kind);
	if (++p->nodes > NODES_MAXIMUM) {
		plan_refuse(p, "the schema has too many fields");
		return NULL;
	}
	if (!scalar_op(writer, reader, &plan->op) && !resolve_container(p, plan, writer, reader))
		return NULL;
	if (writer->nullable) {
		plan->tagged = true;
		plan->null_branch = writer->null_branch;
		plan->least = 1;
	}
	return plan;
}

const struct plan *plan_new(struct arena *arena, const struct type *writer,
	const struct type *reader, char *error, size_t error_size)
{
	struct planner planner = { .arena = arena, .error = error, .error_size = error_size };
	return plan_resolve(&planner, writer, reader);
}
