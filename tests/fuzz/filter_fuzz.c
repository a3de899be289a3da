/* filter_fuzz.c - arbitrary JSON as a filter of vectors: a condition with typed parameters, or a named mistake */
#include <stdio.h>
#include <string.h>

#include "handlers/domains/vectors/filter.h"
#include "schemas/json/check.h"
#include "tests/fuzz/fuzz.h"

#define DEPTH 64

/* PostgreSQL refuses a parameter without a type, and a condition must be one expression. */
static void check_condition(const char *where, int parameters)
{
	int depth = 0;
	bool quoted = false;
	for (const char *at = where; *at; at++) {
		quoted ^= *at == '\'';
		depth += quoted ? 0 : (*at == '(') - (*at == ')');
		if (depth < 0)
			break;
	}
	if (quoted || depth != 0)
		fuzz_stop("vectors_filter", "quotes or parentheses do not match");
	for (int i = 1; i <= parameters; i++) {
		char number[16];
		snprintf(number, sizeof(number), "$%d::", i);
		if (!strstr(where, number))
			fuzz_stop("vectors_filter", "a parameter has no type");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *json = (const char *)bytes, *where = NULL;
	struct json_check check = json_check(json, size, DEPTH);
	if (check.verdict != JSON_VALID || check.repair)
		return 0;
	struct arena *arena = arena_new(0);
	struct params *params = params_new();
	struct context ctx = { .arena = arena, .params = params };
	struct call call = { 0 };
	if (vectors_filter(&ctx, &call, json, size, "filter", &where))
		check_condition(where, params_count(params));
	else if (call.state != CALL_FAILED || !call.failure.message || !call.failure.details)
		fuzz_stop("vectors_filter", "a refusal without a reason");
	else if (json_check(call.failure.details, strlen(call.failure.details), DEPTH).verdict !=
		JSON_VALID)
		fuzz_stop("vectors_filter", "the details are no JSON");
	params_free(params);
	arena_free(arena);
	return 0;
}
