/* metadata_filter.c - reads a metadata filter, and compares a message's metadata with it */
#include "handlers/domains/memory/metadata_filter.h"

#include <string.h>

#include "schemas/json/check.h"

#define KEY_MAXIMUM 128

static bool metadata_filter_is_name(struct json key)
{
	size_t len = key.len - 2; /* without its quotes */
	const char *at = key.text + 1;

	if (key.len < 3 || len > KEY_MAXIMUM)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return true;
}

static bool metadata_filter_key_ok(struct context *ctx, struct call *call, struct json key)
{
	if (metadata_filter_is_name(key) && !json_is(key, "__proto__") &&
		!json_is(key, "prototype") && !json_is(key, "constructor"))
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_METADATA_KEY", NULL,
		"Invalid metadata key %.*s: keys begin with a letter or underscore, hold only "
		"letters, digits and underscores, up to %d characters, and are not __proto__, "
		"prototype or constructor",
		(int)(key.len < 2 * KEY_MAXIMUM ? key.len : 2 * KEY_MAXIMUM), key.text,
		KEY_MAXIMUM);
	return false;
}

bool metadata_keys_ok(struct context *ctx, struct call *call, struct json metadata)
{
	struct json_iter iter = json_iter(metadata);
	struct json key, value;

	while (iter.members && json_next(&iter, &key, &value))
		if (!metadata_filter_key_ok(ctx, call, key))
			return false;
	return true;
}

static bool metadata_filter_values_ok(struct context *ctx, struct call *call, struct json filter)
{
	struct json_iter iter = json_iter(filter);
	struct json key, value;

	while (json_next(&iter, &key, &value)) {
		enum json_kind kind = json_kind(value);
		if (kind != JSON_OBJECT_KIND && kind != JSON_ARRAY_KIND)
			continue;
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_METADATA_VALUE", NULL,
			"The value of %.*s in a metadata filter must be a string, number, boolean or null",
			(int)key.len, key.text);
		return false;
	}
	return true;
}

bool metadata_filter_read(struct context *ctx, struct call *call, const struct datum *given,
	struct json *out)
{
	*out = (struct json){ 0 };
	if (!given || datum_is_null(given))
		return true;
	struct datum normal = json_normal(ctx->arena, given);
	struct json filter = json_of(&normal);
	if (json_kind(filter) != JSON_OBJECT_KIND) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_METADATA_FILTER", NULL,
			"The metadata filter must be an object");
		return false;
	}
	if (!metadata_keys_ok(ctx, call, filter) || !metadata_filter_values_ok(ctx, call, filter))
		return false;
	if (filter.len > 2)
		*out = filter;
	return true;
}

bool metadata_filter_matches(struct arena *arena, const struct datum *content, struct json filter)
{
	if (json_kind(json_of(content)) != JSON_OBJECT_KIND ||
		json_check(content->text, content->size, JSON_DEPTH_MAXIMUM).verdict != JSON_VALID)
		return false;
	struct datum normal = json_normal(arena, content);
	struct json metadata = json_get(json_of(&normal), "metadata");
	struct json_iter iter = json_iter(filter);
	struct json key, wanted;
	while (json_next(&iter, &key, &wanted))
		if (!json_same(json_get_key(metadata, key), wanted))
			return false;
	return true;
}
