/* json_fuzz.c - checks, scans, normalises, repairs and rebuilds arbitrary text as JSON; Jansson is the oracle */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/arena.h"
#include "schemas/json/check.h"
#include "schemas/json/json.h"
#include "tests/fuzz/fuzz.h"

#define DEPTH 64

static bool is_valid(const struct datum *text)
{
	return json_check(text->text, text->size, JSON_DEPTH_MAXIMUM).verdict == JSON_VALID;
}

/* What Jansson reads, the check accepts, unless it is deeper than the check may go. Jansson takes a NUL
 * outside of strings for the end. */
static void ask_oracle(const char *text, size_t size, const struct json_check *check)
{
	json_error_t error;
	if (size == 0 || memchr(text, 0, size))
		return;
	json_t *tree = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (tree && check->verdict != JSON_VALID && check->verdict != JSON_TOO_DEEP)
		fuzz_stop("json_check", "it refuses what Jansson reads");
	json_decref(tree);
}

static void check_normal(struct arena *arena, const struct datum *text)
{
	struct datum normal = json_normal(arena, text);
	if (!is_valid(&normal))
		fuzz_stop("json_normal", "the normal form is no JSON");
	struct datum again = json_normal(arena, &normal);
	if (again.size != normal.size || memcmp(again.text, normal.text, normal.size) != 0)
		fuzz_stop("json_normal", "the normal form has another normal form");
}

static void check_repair(struct arena *arena, const struct datum *text)
{
	struct datum repaired;
	if (!json_repair(arena, text, &repaired))
		return;
	struct json_check check = json_check(repaired.text, repaired.size, JSON_DEPTH_MAXIMUM);
	if (check.verdict != JSON_VALID || check.repair)
		fuzz_stop("json_repair", "the repaired text still needs a repair");
}

/* Visits the members and items, and the members of the last one. */
static void walk(struct arena *arena, struct json value)
{
	struct json key, item, last = { 0 };
	for (int depth = 0; depth < 4; depth++) {
		struct json_iter iter = json_iter(value);
		while (json_next(&iter, &key, &item)) {
			if (key.text)
				json_unquote(arena, key);
			if (json_kind(item) == JSON_STRING_KIND)
				json_unquote(arena, item);
			json_spells(item, "text");
			last = item;
		}
		if (!last.text)
			break;
		value = last;
	}
}

static void check_building(struct arena *arena, const struct datum *text)
{
	struct datum normal = json_normal(arena, text);
	struct json value = json_of(&normal);
	struct json merged = json_merge(arena, value, value);
	struct json set = json_set(arena, json_kind(value) == JSON_OBJECT_KIND ? value : merged,
		"a", value);
	struct datum built[] = { json_datum(merged), json_datum(set) };
	for (size_t i = 0; i < 2; i++)
		if (!is_valid(&built[i]))
			fuzz_stop("json_merge, json_set", "the result is no JSON");
	json_get(value, "a");
	walk(arena, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *text = (const char *)bytes;
	struct json_check check = json_check(text, size, DEPTH);
	ask_oracle(text, size, &check);
	if (check.verdict != JSON_VALID) {
		if (check.at > size)
			fuzz_stop("json_check", "the wrong byte lies behind the text");
		return 0;
	}
	if (check.spelled < size)
		fuzz_stop("json_check", "spelled out it is shorter");
	struct arena *arena = arena_new(0);
	const struct datum datum = datum_text(text, (uint32_t)size);
	check_normal(arena, &datum);
	check_repair(arena, &datum);
	check_building(arena, &datum);
	walk(arena, json_of(&datum));
	arena_free(arena);
	return 0;
}
