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

/* bind_typed() has one function for each PostgreSQL type. Their value is never null. */
typedef bool bind_fn(struct context *ctx, struct call *call, const struct datum *value,
	const char *name);

static bool bind_as_text(struct context *ctx, struct call *call, const struct datum *value,
	const char *name)
{
	if (!binding_text_ok(ctx, call, value, name))
		return false;
	bind_text(ctx->params, value);
	return true;
}

static bool bind_as_jsonb(struct context *ctx, struct call *call, const struct datum *value,
	const char *name)
{
	struct datum json;
	if (!binding_json(ctx, call, value, name, &json))
		return false;
	bind_jsonb(ctx->params, &json);
	return true;
}

static bool bind_as_texts(struct context *ctx, struct call *call, const struct datum *value,
	const char *name)
{
	for (uint32_t i = 0; i < value->size; i++)
		if (!binding_text_ok(ctx, call, &value->items[i], name))
			return false;
	bind_texts(ctx->params, value);
	return true;
}

static bool bind_as_time(struct context *ctx, struct call *call, const struct datum *value,
	const char *name)
{
	if (!binding_time_ok(ctx, call, value, name))
		return false;
	bind_time(ctx->params, value);
	return true;
}

static bool bind_as_int4(struct context *ctx, struct call *call, const struct datum *value,
	const char *name)
{
	if (value->integer < INT32_MIN || value->integer > INT32_MAX) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_NUMBER", NULL,
			"%s does not fit a 32-bit integer", name);
		return false;
	}
	params_int4(ctx->params, (int32_t)value->integer);
	return true;
}

static bool bind_as_int8(struct context *ctx, struct call *call, const struct datum *value,
	const char *name)
{
	(void)call;
	(void)name;
	params_int8(ctx->params, value->integer);
	return true;
}

static bool bind_as_float8(struct context *ctx, struct call *call, const struct datum *value,
	const char *name)
{
	(void)call;
	(void)name;
	params_float8(ctx->params,
		value->kind == DATUM_INTEGER ? (double)value->integer : value->real);
	return true;
}

static bool bind_as_bool(struct context *ctx, struct call *call, const struct datum *value,
	const char *name)
{
	(void)call;
	(void)name;
	params_bool(ctx->params, value->boolean);
	return true;
}

static bool bind_as_bytea(struct context *ctx, struct call *call, const struct datum *value,
	const char *name)
{
	(void)call;
	(void)name;
	params_bytea(ctx->params, value->text, value->size);
	return true;
}

static const struct {
	const char *pg_type;
	bind_fn *bind;
} binders[] = {
	{ "text", bind_as_text },
	{ "text[]", bind_as_texts },
	{ "jsonb", bind_as_jsonb },
	{ "timestamptz", bind_as_time },
	{ "timestamp", bind_as_time },
	{ "int4", bind_as_int4 },
	{ "int8", bind_as_int8 },
	{ "float8", bind_as_float8 },
	{ "bool", bind_as_bool },
	{ "bytea", bind_as_bytea },
};

bool bind_typed(struct context *ctx, struct call *call, const struct datum *value,
	const char *pg_type, const char *name)
{
	if (binding_absent(value)) {
		params_null(ctx->params);
		return true;
	}
	for (size_t i = 0; i < sizeof(binders) / sizeof(binders[0]); i++)
		if (strcmp(binders[i].pg_type, pg_type) == 0)
			return binders[i].bind(ctx, call, value, name);
	call_fail(ctx, call, FAILURE_INTERNAL, "INTERNAL", NULL,
		"%s is declared as %s, which bind_typed does not know (a defect of stowage)", name,
		pg_type);
	return false;
}
