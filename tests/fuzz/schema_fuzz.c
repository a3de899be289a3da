/* schema_fuzz.c - compiles a JSON Schema, the first line, and checks the JSON that follows by it */
#include <string.h>

#include "schemas/base/arena.h"
#include "schemas/json/check.h"
#include "schemas/json_schema/json_schema.h"
#include "tests/fuzz/fuzz.h"

#define DEPTH 100 /* far from the limits of a check */

static bool is_json(struct json text)
{
	return json_check(text.text, text.len, DEPTH).verdict == JSON_VALID;
}

/* Does the value fit the schema that the format makes of the text? 1: yes, 0: no, -1: it is no schema. */
static int judge(struct arena *arena, const char *before, struct json text, const char *behind,
	struct json value)
{
	struct json_schema_problem problems[JSON_SCHEMA_PROBLEMS];
	struct json_schema_fault fault = { NULL, NULL };
	struct json_text whole = json_text_new(arena);

	json_text_puts(&whole, before);
	json_text_value(&whole, text);
	json_text_puts(&whole, behind);
	const struct json_schema *schema = json_schema_compile(arena, json_text_end(&whole),
		&fault);
	if (!schema && (!fault.path || !fault.why))
		fuzz_stop("json_schema_compile", "it refuses a schema without a reason");
	return schema ? json_schema_check(schema, arena, value, problems) == 0 : -1;
}

/* A reference means something else once the schema stands in another one. A name may be escaped. */
static bool may_refer(struct json schema)
{
	return memchr(schema.text, '$', schema.len) || memchr(schema.text, '\\', schema.len);
}

static void check_verdicts(struct arena *arena, struct json schema, struct json value)
{
	int fits = judge(arena, "", schema, "", value);

	if (may_refer(schema))
		return;
	if (fits == 1 && judge(arena, "{\"not\":", schema, "}", value) == 1)
		fuzz_stop("json_schema_check", "the value fits a schema and its opposite");
	if (fits == 1 && judge(arena, "{\"allOf\":[", schema, "]}", value) == 0)
		fuzz_stop("json_schema_check", "the value fits a schema, but not allOf of it");
	if (judge(arena, "{\"const\":", value, "}", value) == 0)
		fuzz_stop("json_schema_check", "the value does not equal itself");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *text = (const char *)bytes;
	const char *end = size ? memchr(text, '\n', size) : NULL;

	if (!end)
		return 0;
	struct json schema = { text, (size_t)(end - text) };
	struct json value = { end + 1, size - schema.len - 1 };
	if (!is_json(schema) || !is_json(value))
		return 0;
	struct arena *arena = arena_new(1 << 20);
	check_verdicts(arena, schema, value);
	arena_free(arena);
	return 0;
}
