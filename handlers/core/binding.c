/* binding.c - checks of request data, and appending it to a statement's parameters */
#include "handlers/core/binding.h"

#include <string.h>

#include "schemas/json/json.h"

/* What both types can hold: a timestamp starts in 4713 BC, a JavaScript Date ends in 275760. */
#define TIME_MIN_MS INT64_C(-210866803200000)
#define TIME_MAX_MS INT64_C(8640000000000000)

const struct datum *binding_path(const struct call *call, const char *path,
	const struct type **type)
{
	const struct datum *at = call->request;
	const struct type *at_type = call->request_type;

	while (*path && at && at->kind == DATUM_RECORD) {
		size_t len = strcspn(path, ".");
		int index = type_field_index(at_type, path, len);
		if (index < 0)
			return NULL;
		at = datum_field(at, (unsigned)index);
		at_type = at_type->fields[index].type;
		path += len + (path[len] == '.');
	}
	if (type)
		*type = at_type;
	return *path || !at || datum_is_null(at) ? NULL : at;
}

bool binding_text_ok(struct context *ctx, struct call *call, const struct datum *text,
	const char *name)
{
	if (!text || datum_is_null(text) || !text->size || !memchr(text->text, 0, text->size))
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "TEXT_NOT_STORABLE", NULL,
		"%s holds a NUL character, which PostgreSQL can't store in text", name);
	return false;
}

bool binding_time_fits(int64_t ms)
{
	return ms >= TIME_MIN_MS && ms <= TIME_MAX_MS;
}

bool binding_time_ok(struct context *ctx, struct call *call, const struct datum *time,
	const char *name)
{
	if (!time || datum_is_null(time) || binding_time_fits(time->integer))
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_TIME", NULL,
		"%s is not a time between 4713 BC and the year 275760", name);
	return false;
}

bool binding_json(struct context *ctx, struct call *call, const struct datum *json,
	const char *name, struct datum *out)
{
	if (!json || datum_is_null(json)) {
		*out = datum_null();
		return true;
	}
	*out = *json;
	if (!(json->flags & DATUM_JSON_REPAIR))
		return true;
	if (!ctx->settings->repair_text) {
		call_fail(ctx, call, FAILURE_INVALID, "TEXT_NOT_STORABLE", NULL,
			"%s holds an escaped NUL or a lone surrogate, which jsonb can't store",
			name);
		return false;
	}
	if (!json_repair(ctx->arena, json, out)) {
		call_fail(ctx, call, FAILURE_INVALID, "TEXT_NOT_STORABLE", NULL,
			"%s has keys that collide once NULs and lone surrogates are repaired",
			name);
		return false;
	}
	call->repairs++;
	return true;
}

static bool binding_absent(const struct datum *value)
{
	return !value || datum_is_null(value);
}

void bind_text(struct params *params, const struct datum *text)
{
	if (binding_absent(text))
		params_null(params);
	else
		params_text(params, text->text, text->size);
}

void bind_jsonb(struct params *params, const struct datum *json)
{
	if (binding_absent(json))
		params_null(params);
	else
		params_jsonb(params, json->text, json->size);
}

void bind_time(struct params *params, const struct datum *time)
{
	if (binding_absent(time))
		params_null(params);
	else
		params_timestamp_ms(params, time->integer);
}

void bind_element_text(struct params *params, int array, const struct datum *text)
{
	if (binding_absent(text))
		array_null(params, array);
	else
		array_text(params, array, text->text, text->size);
}

void bind_element_jsonb(struct params *params, int array, const struct datum *json)
{
	if (binding_absent(json))
		array_null(params, array);
	else
		array_jsonb(params, array, json->text, json->size);
}

void bind_texts(struct params *params, const struct datum *texts)
{
	if (binding_absent(texts)) {
		params_null(params);
		return;
	}
	int array = params_array(params, ELEMENT_TEXT);
	for (uint32_t i = 0; i < texts->size; i++)
		bind_element_text(params, array, &texts->items[i]);
}

/* --- PostgreSQL types. The value of these functions is never null. --- */

static bool check_text(struct context *ctx, struct call *call, const struct datum *value,
	const char *name, struct datum *out)
{
	*out = *value;
	return binding_text_ok(ctx, call, value, name);
}

static bool check_texts(struct context *ctx, struct call *call, const struct datum *value,
	const char *name, struct datum *out)
{
	*out = *value;
	for (uint32_t i = 0; i < value->size; i++)
		if (!binding_text_ok(ctx, call, &value->items[i], name))
			return false;
	return true;
}

static bool check_time(struct context *ctx, struct call *call, const struct datum *value,
	const char *name, struct datum *out)
{
	*out = *value;
	return binding_time_ok(ctx, call, value, name);
}

static bool check_int4(struct context *ctx, struct call *call, const struct datum *value,
	const char *name, struct datum *out)
{
	*out = *value;
	if (value->integer >= INT32_MIN && value->integer <= INT32_MAX)
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_NUMBER", NULL,
		"%s does not fit a 32-bit integer", name);
	return false;
}

/* PostgreSQL holds each value of these types. */
static bool check_nothing(struct context *ctx, struct call *call, const struct datum *value,
	const char *name, struct datum *out)
{
	(void)ctx, (void)call, (void)name;
	*out = *value;
	return true;
}

static void bind_int4(struct params *params, const struct datum *value)
{
	params_int4(params, (int32_t)value->integer);
}

static void bind_int8(struct params *params, const struct datum *value)
{
	params_int8(params, value->integer);
}

static double real_of(const struct datum *value)
{
	return value->kind == DATUM_INTEGER ? (double)value->integer : value->real;
}

static void bind_float8(struct params *params, const struct datum *value)
{
	params_float8(params, real_of(value));
}

static void bind_bool(struct params *params, const struct datum *value)
{
	params_bool(params, value->boolean);
}

static void bind_bytea(struct params *params, const struct datum *value)
{
	params_bytea(params, value->text, value->size);
}

static void bind_element_int4(struct params *params, int array, const struct datum *value)
{
	array_int4(params, array, (int32_t)value->integer);
}

static void bind_element_int8(struct params *params, int array, const struct datum *value)
{
	array_int8(params, array, value->integer);
}

static void bind_element_float8(struct params *params, int array, const struct datum *value)
{
	array_float8(params, array, real_of(value));
}

static void bind_element_bool(struct params *params, int array, const struct datum *value)
{
	array_bool(params, array, value->boolean);
}

static void bind_element_time(struct params *params, int array, const struct datum *value)
{
	array_timestamp_ms(params, array, value->integer);
}

static void bind_element_bytea(struct params *params, int array, const struct datum *value)
{
	array_bytea(params, array, value->text, value->size);
}

struct binding_type {
	const char *name;
	bool (*check)(struct context *ctx, struct call *call, const struct datum *value,
		const char *name, struct datum *out);
	void (*bind)(struct params *params, const struct datum *value);
	/* NULL: PostgreSQL has no arrays of this type. */
	void (*bind_element)(struct params *params, int array, const struct datum *value);
	enum params_element element;
};

/* clang-format off */
static const struct binding_type binding_types[] = {
	{ "text", check_text, bind_text, bind_element_text, ELEMENT_TEXT },
	{ "jsonb", binding_json, bind_jsonb, bind_element_jsonb, ELEMENT_JSONB },
	{ "timestamptz", check_time, bind_time, bind_element_time, ELEMENT_TIMESTAMPTZ },
	{ "timestamp", check_time, bind_time, bind_element_time, ELEMENT_TIMESTAMP },
	{ "int4", check_int4, bind_int4, bind_element_int4, ELEMENT_INT4 },
	{ "int8", check_nothing, bind_int8, bind_element_int8, ELEMENT_INT8 },
	{ "float8", check_nothing, bind_float8, bind_element_float8, ELEMENT_FLOAT8 },
	{ "bool", check_nothing, bind_bool, bind_element_bool, ELEMENT_BOOL },
	{ "bytea", check_nothing, bind_bytea, bind_element_bytea, ELEMENT_BYTEA },
	{ "text[]", check_texts, bind_texts, NULL, ELEMENT_TEXT },
};
/* clang-format on */

const struct binding_type *binding_type(const char *name)
{
	for (size_t i = 0; i < sizeof(binding_types) / sizeof(binding_types[0]); i++)
		if (strcmp(binding_types[i].name, name) == 0)
			return &binding_types[i];
	return NULL;
}

bool binding_check(struct context *ctx, struct call *call, const struct binding_type *type,
	const struct datum *value, const char *name, struct datum *out)
{
	*out = datum_null();
	if (!type) {
		call_fail(ctx, call, FAILURE_INTERNAL, "INTERNAL", NULL,
			"%s is declared as a type that binding.c does not know (a defect of stowage)",
			name);
		return false;
	}
	return binding_absent(value) || type->check(ctx, call, value, name, out);
}

void binding_append(struct params *params, const struct binding_type *type,
	const struct datum *value)
{
	if (binding_absent(value))
		params_null(params);
	else
		type->bind(params, value);
}

int binding_array(struct params *params, const struct binding_type *type)
{
	return params_array(params, type->element);
}

void binding_append_element(struct params *params, int array, const struct binding_type *type,
	const struct datum *value)
{
	if (binding_absent(value))
		array_null(params, array);
	else
		type->bind_element(params, array, value);
}

bool bind_typed(struct context *ctx, struct call *call, const struct datum *value,
	const char *pg_type, const char *name)
{
	const struct binding_type *type = binding_type(pg_type);
	struct datum checked;

	if (!binding_check(ctx, call, type, value, name, &checked))
		return false;
	binding_append(ctx->params, type, &checked);
	return true;
}
