/* run.c - checks a value by a compiled schema */
#include <stdarg.h>
#include <stdio.h>

#include "schemas/json_schema/judge.h"

#define RUN_DEPTH 500 /* nested schemas and values */
/* A step is about a rule applied to a value. */
#define RUN_BASE_STEPS 1000000
#define RUN_STEPS_PER_BYTE 100
#define RUN_MATCH_STEPS 200 /* of a pattern on an empty text */

static const char *run_path(struct arena *arena, const struct place *place)
{
	const char *path = "";

	for (; place->parent; place = place->parent)
		path = place->name
			? arena_printf(arena, "/%.*s%s", (int)place->name_size, place->name, path)
			: arena_printf(arena, "/%u%s", place->index, path);
	return *path ? path : "/";
}

static bool run_report(struct run *run, const struct place *place, const char *code,
	const char *message)
{
	if (!run->quiet && run->count < JSON_SCHEMA_PROBLEMS)
		run->problems[run->count++] =
			(struct json_schema_problem){ run_path(run->arena, place), code, message };
	return false;
}

/* The size without a character that is not whole at the end. */
static size_t run_whole(const char *text, size_t size)
{
	size_t lead = size;

	while (lead && ((unsigned char)text[lead - 1] & 0xC0) == 0x80)
		lead--;
	if (!lead || !((unsigned char)text[lead - 1] & 0x80))
		return size;
	unsigned char first = (unsigned char)text[lead - 1];
	size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
	return size - (lead - 1) == length ? size : lead - 1;
}

bool run_problem(struct run *run, const struct rule *rule, const struct place *place,
	const char *format, ...)
{
	char message[256];
	va_list args;

	if (run->quiet)
		return false;
	va_start(args, format);
	int size = vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	size_t kept = size < (int)sizeof(message) ? (size_t)size : sizeof(message) - 1;
	return run_report(run, place, rule->keyword->code,
		arena_copy(run->arena, message, run_whole(message, kept)));
}

bool run_spend(struct run *run, uint64_t steps)
{
	if (run->steps < steps)
		run->unjudged = "the value and its schema need too much work to compare";
	else
		run->steps -= steps;
	return !run->unjudged;
}

bool run_match(struct run *run, const struct pattern *pattern, const char *text, size_t size)
{
	struct arena_mark mark = arena_mark(run->arena);

	if (!run_spend(run, RUN_MATCH_STEPS + size / 4))
		return false;
	enum pattern_verdict verdict = pattern_match(pattern, run->arena, text, size);
	arena_rewind(run->arena, mark);
	if (verdict == PATTERN_UNKNOWN)
		run->unjudged = "a pattern needs too much work for a text of this length";
	return verdict == PATTERN_MATCHES;
}

static bool run_rules(struct run *run, const struct node *node, const struct value *value,
	const struct place *place)
{
	bool fits = true;

	for (uint32_t i = 0; i < node->rule_count; i++) {
		const struct rule *rule = &node->rules[i];
		if (!(rule->keyword->kinds & KIND(value->kind)))
			continue;
		if (!run_spend(run, 1))
			return false;
		fits &= rule->keyword->judge(run, node, rule, value, place);
		if (!fits && (run->quiet || run->count == JSON_SCHEMA_PROBLEMS))
			return false;
	}
	return fits;
}

bool run_node(struct run *run, const struct node *node, const struct value *value,
	const struct place *place)
{
	if (run->depth == RUN_DEPTH)
		run->unjudged = "the value and its schema are nested too deep to compare";
	if (run->unjudged)
		return false;
	if (node->never)
		return run_report(run, place, "custom", "no value is allowed here");
	if (node->nullable && value->kind == JSON_NULL_KIND)
		return true;
	run->depth++;
	bool fits = run_rules(run, node, value, place);
	run->depth--;
	return fits;
}

size_t json_schema_check(const struct json_schema *schema, struct arena *arena, struct json value,
	struct json_schema_problem problems[JSON_SCHEMA_PROBLEMS])
{
	const struct place whole = { 0 };
	struct run run = { .arena = arena,
		.problems = problems,
		.steps = RUN_BASE_STEPS + RUN_STEPS_PER_BYTE * (uint64_t)value.len };

	(void)!run_node(&run, schema->root, value_read(arena, value), &whole);
	if (!run.unjudged)
		return run.count;
	run.count = 0;
	(void)!run_report(&run, &whole, "custom", run.unjudged);
	return run.count;
}
