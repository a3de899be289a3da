/* judge_container.c - rules for objects and arrays */
#include "schemas/json_schema/judge.h"

static const char *judge_parts(const struct value *value)
{
	return value->kind == JSON_OBJECT_KIND ? "properties" : "items";
}

bool judge_fewest(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	(void)node;
	return value->count >= rule->count ||
		run_problem(run, rule, place, "must have at least %llu %s",
			(unsigned long long)rule->count, judge_parts(value));
}

bool judge_most(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	(void)node;
	return value->count <= rule->count ||
		run_problem(run, rule, place, "must have at most %llu %s",
			(unsigned long long)rule->count, judge_parts(value));
}

/* Is enough known? Problems are enough, or one is when only the verdict counts. */
static bool judge_enough(const struct run *run, bool fits)
{
	return run->unjudged || (!fits && (run->quiet || run->count == JSON_SCHEMA_PROBLEMS));
}

/* --- objects --- */

static struct place judge_member_place(const struct value *member, const struct place *place)
{
	return (struct place){ place, member->name, member->name_size, 0 };
}

static bool judge_member(struct run *run, const struct node *node, const struct value *member,
	const struct place *place)
{
	struct place inner = judge_member_place(member, place);
	return run_node(run, node, member, &inner);
}

bool judge_required(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	bool fits = true;

	(void)node;
	for (uint32_t i = 0; i < rule->given->count && !judge_enough(run, fits); i++) {
		const struct datum *name = &rule->names[i];
		struct place missing = { place, name->text, name->size, 0 };
		if (!run_spend(run, 1) || value_member(value, name->text, name->size))
			continue;
		fits = run_problem(run, rule, &missing, "is required");
	}
	return fits;
}

bool judge_properties(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	bool fits = true;

	(void)node;
	for (uint32_t i = 0; i < rule->node_count && !judge_enough(run, fits); i++) {
		const struct value *property = rule->given->items[i];
		const struct value *member = value_member(value, property->name,
			property->name_size);
		if (run_spend(run, 1) && member)
			fits &= judge_member(run, rule->nodes[i], member, place);
	}
	return fits;
}

bool judge_pattern_properties(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	bool fits = true;

	(void)node;
	for (uint32_t i = 0; i < value->count; i++) {
		const struct value *member = value->items[i];
		for (uint32_t k = 0; k < rule->node_count && !judge_enough(run, fits); k++)
			if (run_match(run, rule->patterns[k], member->name, member->name_size))
				fits &= judge_member(run, rule->nodes[k], member, place);
	}
	return fits;
}

/* Is the member one of `properties` or `patternProperties`? */
static bool judge_is_known(struct run *run, const struct node *node, const struct value *member)
{
	if (node->properties &&
		value_member(node->properties->given, member->name, member->name_size))
		return true;
	for (uint32_t k = 0; node->patterns && k < node->patterns->node_count; k++)
		if (run_match(run, node->patterns->patterns[k], member->name, member->name_size))
			return true;
	return false;
}

bool judge_additional(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	bool fits = true;

	for (uint32_t i = 0; i < value->count && !judge_enough(run, fits); i++) {
		const struct value *member = value->items[i];
		if (!run_spend(run, 1) || judge_is_known(run, node, member))
			continue;
		if (rule->nodes[0]->never)
			fits = run_problem(run, rule, place, "has an unknown property %.*s",
				(int)(member->name_size < 100 ? member->name_size : 100),
				member->name);
		else
			fits &= judge_member(run, rule->nodes[0], member, place);
	}
	return fits;
}

/* --- arrays --- */

static bool judge_item(struct run *run, const struct node *node, const struct value *array,
	uint32_t index, const struct place *place)
{
	struct place inner = { place, NULL, 0, index };
	return run_node(run, node, array->items[index], &inner);
}

bool judge_items(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	bool fits = true;

	for (uint32_t i = node->prefix ? node->prefix->node_count : 0;
		i < value->count && !judge_enough(run, fits); i++)
		fits &= judge_item(run, rule->nodes[0], value, i, place);
	return fits;
}

bool judge_prefix(struct run *run, const struct node *node, const struct rule *rule,
	const struct value *value, const struct place *place)
{
	bool fits = true;

	(void)node;
	for (uint32_t i = 0; i < rule->node_count && i < value->count && !judge_enough(run, fits);
		i++)
		fits &= judge_item(run, rule->nodes[i], value, i, place);
	return fits;
}
