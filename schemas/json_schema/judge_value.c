/* judge_value.c - rules for values of any kind, for numbers and for strings */
#include "schemas/json_schema/judge.h"

/* --- any kind --- */

static bool judge_is_kind(const struct rule *rule, const struct value *value)
{
	return (rule->kinds & KIND(value->kind)) ||
		(rule->kinds & KIND_INTEGER && value->kind == JSON_NUMBER_KIND &&
			number_is_integer(number_read(value->text, value->size)));
}

bool judge_kinds(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	(void)node;
	return judge_is_kind(rule, value) ||
		run_problem(run, rule, place, "must be of type %.*s, but is of type %s",
			(int)rule->given->size, rule->given->text, value_kind_name(value));
}

/* Comparing takes steps by the sizes of both. */
static bool judge_equals(struct run *run, const struct value *allowed, const struct value *value)
{
	uint32_t size = allowed->size < value->size ? allowed->size : value->size;
	return run_spend(run, 1 + size / 16) && value_equal(run->arena, allowed, value);
}

bool judge_enum(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	(void)node;
	for (uint32_t i = 0; i < rule->given->count; i++)
		if (judge_equals(run, rule->given->items[i], value))
			return true;
	return run_problem(run, rule, place, "must be one of %.*s", (int)rule->given->size,
		rule->given->text);
}

bool judge_const(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	(void)node;
	return judge_equals(run, rule->given, value) ||
		run_problem(run, rule, place, "must be %.*s", (int)rule->given->size,
			rule->given->text);
}

/* --- schemas for the same value --- */

bool judge_all(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	bool fits = true;

	(void)node;
	for (uint32_t i = 0; i < rule->node_count && (fits || !run->quiet); i++)
		fits &= run_node(run, rule->nodes[i], value, place);
	return fits;
}

/* How many of the schemas the value fits, counted up to two. */
static unsigned judge_count(struct run *run, const struct rule *rule, const struct value *value,
	const struct place *place)
{
	unsigned count = 0;

	run->quiet++;
	for (uint32_t i = 0; i < rule->node_count && count < 2; i++)
		count += run_node(run, rule->nodes[i], value, place);
	run->quiet--;
	return count;
}

bool judge_any(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	bool fits = false;

	(void)node;
	run->quiet++;
	for (uint32_t i = 0; i < rule->node_count && !fits; i++)
		fits = run_node(run, rule->nodes[i], value, place);
	run->quiet--;
	return fits || run_problem(run, rule, place, "must fit one of the schemas of anyOf");
}

bool judge_one(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	unsigned count = judge_count(run, rule, value, place);

	(void)node;
	return count == 1 ||
		run_problem(run, rule, place,
			"must fit exactly one of the schemas of oneOf, but fits %s",
			count ? "several" : "none");
}

bool judge_not(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	(void)node;
	return judge_count(run, rule, value, place) == 0 ||
		run_problem(run, rule, place, "must not fit the schema of not");
}

bool judge_reference(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	(void)node;
	return run_node(run, rule->nodes[0], value, place);
}

/* --- numbers --- */

static int judge_compare(const struct value *value, const struct rule *rule)
{
	return number_compare(number_read(value->text, value->size), rule->number);
}

static bool judge_bound(struct run *run, const struct rule *rule, const struct place *place,
	bool kept, const char *must)
{
	return kept ||
		run_problem(run, rule, place, "must be %s %.*s", must, (int)rule->given->size,
			rule->given->text);
}

bool judge_minimum(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	(void)node;
	return judge_bound(run, rule, place, judge_compare(value, rule) >= 0, "at least");
}

bool judge_maximum(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	(void)node;
	return judge_bound(run, rule, place, judge_compare(value, rule) <= 0, "at most");
}

bool judge_above(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	(void)node;
	return judge_bound(run, rule, place, judge_compare(value, rule) > 0, "more than");
}

bool judge_below(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	(void)node;
	return judge_bound(run, rule, place, judge_compare(value, rule) < 0, "less than");
}

bool judge_multiple(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	struct number number = number_read(value->text, value->size);

	(void)node;
	return judge_bound(run, rule, place, number_is_multiple(number, rule->number),
		"a multiple of");
}

/* --- strings --- */

/* Counts characters (code points). */
static uint64_t judge_length(struct run *run, const struct value *string)
{
	struct datum text = value_characters(run->arena, string);
	uint64_t length = 0;

	for (uint32_t i = 0; i < text.size; i++)
		length += (text.text[i] & 0xC0) != 0x80;
	return length;
}

bool judge_shortest(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	(void)node;
	return judge_length(run, value) >= rule->count ||
		run_problem(run, rule, place, "must have at least %llu characters",
			(unsigned long long)rule->count);
}

bool judge_longest(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	(void)node;
	return judge_length(run, value) <= rule->count ||
		run_problem(run, rule, place, "must have at most %llu characters",
			(unsigned long long)rule->count);
}

bool judge_pattern(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	struct datum text = value_characters(run->arena, value);

	(void)node;
	return run_match(run, rule->patterns[0], text.text, text.size) ||
		run_problem(run, rule, place, "must match the pattern %.*s", (int)rule->given->size,
			rule->given->text);
}

bool judge_format(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	struct datum text = value_characters(run->arena, value);

	(void)node;
	return rule->format(text.text, text.size) ||
		run_problem(run, rule, place, "must have the format %.*s", (int)rule->given->size,
			rule->given->text);
}
