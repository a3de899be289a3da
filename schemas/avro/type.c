/*
 * type.c - an Avro schema compiled for decoding and encoding
 *
 * The functions recurse over a schema, never over a message, up to JSON_NESTING_MAXIMUM levels.
 * The compiler ignores aliases, unknown attributes and, as the specification requires, an unknown
 * logicalType.
 */
#include "schemas/avro/type.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "schemas/avro/names.h"
#include "schemas/avro/type_default.h"

/* A level of types has up to three levels of JSON: braces, a union and a record. */
#define JSON_NESTING_MAXIMUM (3 * TYPE_DEPTH_MAXIMUM)

/* A record found so far. It is listed before its fields are compiled, to detect recursive types. */
struct known {
	struct known *next;
	const char *name;
	struct type *type;
	bool open; /* the fields are not compiled yet */
};

struct compiler {
	struct arena *arena;
	struct known *known;
	const char *field; /* the current field, for messages */
	char *error;
	size_t error_size;
	int depth;
};

static const struct type *avro_type_compile(struct compiler *c, const json_t *schema,
	const char *namespace);

__attribute__((format(printf, 2, 3))) static const struct type *type_refuse(struct compiler *c,
	const char *format, ...)
{
	char reason[NAME_SIZE + 128];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	snprintf(c->error, c->error_size, "%s%s%s", c->field ? c->field : "", c->field ? ": " : "",
		reason);
	return NULL;
}

const char *type_kind_name(enum type_kind kind)
{
	static const char *const names[] = {
		[TYPE_NULL] = "null",
		[TYPE_BOOLEAN] = "boolean",
		[TYPE_INT] = "int",
		[TYPE_LONG] = "long",
		[TYPE_FLOAT] = "float",
		[TYPE_DOUBLE] = "double",
		[TYPE_BYTES] = "bytes",
		[TYPE_STRING] = "string",
		[TYPE_RECORD] = "record",
		[TYPE_ARRAY] = "array",
		[TYPE_MAP] = "map",
	};
	return names[kind];
}

static struct type *new_type(struct compiler *c, enum type_kind kind)
{
	struct type *type = arena_calloc(c->arena, 1, sizeof(*type));
	type->kind = kind;
	return type;
}

/* Sets the depth of a container that has this item. References to records make types deeper than
 * their JSON, so the limit is checked here, too. */
static bool type_deepen(struct compiler *c, struct type *container, const struct type *item)
{
	if (container->depth <= item->depth)
		container->depth = (uint8_t)(item->depth + 1);
	return container->depth <= TYPE_DEPTH_MAXIMUM ||
		type_refuse(c, "types are nested more than %d levels deep", TYPE_DEPTH_MAXIMUM);
}

/* Compiles the name of a primitive, or of a record that is defined before. */
static const struct type *compile_name(struct compiler *c, const char *name, const char *namespace)
{
	for (enum type_kind kind = TYPE_NULL; kind <= TYPE_STRING; kind++)
		if (strcmp(name, type_kind_name(kind)) == 0)
			return new_type(c, kind);
	struct full_name full;
	if (!name_resolve(&full, name, namespace))
		return type_refuse(c, "the type name is too long");
	for (struct known *known = c->known; known; known = known->next) {
		if (strcmp(known->name, full.text) != 0)
			continue;
		return known->open ? type_refuse(c, "%s contains itself", full.text) : known->type;
	}
	return type_refuse(c, "type %s is not defined in this schema", full.text);
}

static const struct type *compile_union(struct compiler *c, const json_t *branches,
	const char *namespace)
{
	const char *first = json_string_value(json_array_get(branches, 0));
	const char *second = json_string_value(json_array_get(branches, 1));
	bool null_first = first && strcmp(first, "null") == 0;
	bool null_second = second && strcmp(second, "null") == 0;
	if (json_array_size(branches) != 2 || null_first == null_second)
		return type_refuse(c, "a union must consist of null and one other type");
	const struct type *other = avro_type_compile(c, json_array_get(branches, null_first),
		namespace);
	if (!other)
		return NULL;
	if (other->nullable)
		return type_refuse(c, "a union is directly in a union");
	struct type *type = new_type(c, other->kind);
	*type = *other;
	type->nullable = true;
	type->null_branch = null_first ? 0 : 1;
	return type;
}

static bool compile_field(struct compiler *c, struct type_field *field, const json_t *json,
	const char *namespace)
{
	const char *name = json_string_value(json_object_get(json, "name"));
	if (!name || !*name)
		return type_refuse(c, "a field has no name");
	c->field = field->name = arena_copy(c->arena, name, strlen(name));
	field->type = avro_type_compile(c, json_object_get(json, "type"), namespace);
	if (!field->type)
		return false;
	c->field = field->name;
	const json_t *given = json_object_get(json, "default");
	field->has_default = given != NULL;
	if (given && !type_default(c->arena, field->type, given, &field->default_value))
		return type_refuse(c, "the default does not fit the field's type");
	return true;
}

static bool compile_fields(struct compiler *c, struct type *record, const json_t *fields,
	const char *namespace)
{
	size_t count = json_array_size(fields);
	struct type_field *list = arena_calloc(c->arena, count, sizeof(*list));
	record->fields = list;
	record->depth = 1;
	for (size_t i = 0; i < count; i++) {
		if (!compile_field(c, &list[i], json_array_get(fields, i), namespace) ||
			!type_deepen(c, record, list[i].type))
			return false;
		if (type_field_index(record, list[i].name, strlen(list[i].name)) >= 0)
			return type_refuse(c, "the record has two fields with this name");
		record->field_count = i + 1;
	}
	return json_is_array(fields) || type_refuse(c, "record %s has no fields", record->name);
}

static const struct type *compile_record(struct compiler *c, const json_t *schema,
	const char *namespace)
{
	struct full_name full;
	if (!name_define(&full, schema, namespace))
		return type_refuse(c, "a record has no name, or one that is too long");
	for (struct known *known = c->known; known; known = known->next)
		if (strcmp(known->name, full.text) == 0)
			return type_refuse(c, "%s is defined twice", full.text);
	struct type *record = new_type(c, TYPE_RECORD);
	record->name = arena_copy(c->arena, full.text, strlen(full.text));
	struct known *known = arena_alloc(c->arena, sizeof(*known));
	*known = (struct known){ c->known, record->name, record, true };
	c->known = known;
	if (!compile_fields(c, record, json_object_get(schema, "fields"), full.namespace))
		return NULL;
	known->open = false;
	return record;
}

static const struct type *compile_items(struct compiler *c, enum type_kind kind,
	const json_t *items, const char *namespace)
{
	struct type *type = new_type(c, kind);
	type->item = avro_type_compile(c, items, namespace);
	return type->item && type_deepen(c, type, type->item) ? type : NULL;
}

/* Compiles {"type": "string", "logicalType": ...}, or a type in needless braces. */
static const struct type *compile_annotated(struct compiler *c, const json_t *schema,
	const char *namespace)
{
	const struct type *plain = avro_type_compile(c, json_object_get(schema, "type"), namespace);
	const char *logical = json_string_value(json_object_get(schema, "logicalType"));
	if (!plain || !logical)
		return plain;
	struct type *type = new_type(c, plain->kind);
	*type = *plain;
	if (type->kind == TYPE_LONG && strcmp(logical, "timestamp-millis") == 0)
		type->logical = LOGICAL_TIMESTAMP_MILLIS;
	if (type->kind == TYPE_STRING && strcmp(logical, "json") == 0)
		type->logical = LOGICAL_JSON;
	return type;
}

static const struct type *compile_object(struct compiler *c, const json_t *schema,
	const char *namespace)
{
	const char *kind = json_string_value(json_object_get(schema, "type"));
	if (!kind)
		return compile_annotated(c, schema, namespace);
	if (strcmp(kind, "record") == 0 || strcmp(kind, "error") == 0)
		return compile_record(c, schema, namespace);
	if (strcmp(kind, "array") == 0)
		return compile_items(c, TYPE_ARRAY, json_object_get(schema, "items"), namespace);
	if (strcmp(kind, "map") == 0)
		return compile_items(c, TYPE_MAP, json_object_get(schema, "values"), namespace);
	if (strcmp(kind, "enum") == 0 || strcmp(kind, "fixed") == 0)
		return type_refuse(c, "type %s is not supported: use string or bytes", kind);
	return compile_annotated(c, schema, namespace);
}

static const struct type *avro_type_compile(struct compiler *c, const json_t *schema,
	const char *namespace)
{
	const struct type *type;
	if (c->depth >= JSON_NESTING_MAXIMUM)
		return type_refuse(c, "the schema is nested more than %d levels deep",
			JSON_NESTING_MAXIMUM);
	c->depth++;
	if (json_is_string(schema))
		type = compile_name(c, json_string_value(schema), namespace);
	else if (json_is_array(schema))
		type = compile_union(c, schema, namespace);
	else if (json_is_object(schema))
		type = compile_object(c, schema, namespace);
	else
		type = type_refuse(c, "a type is missing or is not a name, an object or a union");
	c->depth--;
	return type;
}

const struct type *type_compile(struct arena *arena, const char *json, size_t size, char *error,
	size_t error_size)
{
	json_error_t problem;
	json_t *schema = json_loadb(json, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
	if (!schema) {
		snprintf(error, error_size, "not JSON, line %d: %s", problem.line, problem.text);
		return NULL;
	}
	struct compiler compiler = { .arena = arena, .error = error, .error_size = error_size };
	const struct type *type = avro_type_compile(&compiler, schema, "");
	json_decref(schema);
	return type;
}

int type_field_index(const struct type *record, const char *name, size_t len)
{
	for (size_t i = 0; i < record->field_count; i++) {
		const char *field = record->fields[i].name;
		if (strlen(field) == len && memcmp(field, name, len) == 0)
			return (int)i;
	}
	return -1;
}
