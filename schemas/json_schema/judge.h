/*
 * judge.h - what the rules of a check share
 */
#ifndef SCHEMAS_JSON_SCHEMA_JUDGE_H
#define SCHEMAS_JSON_SCHEMA_JUDGE_H

#include "schemas/json_schema/node.h"

/* Where a value is: the way to it from the whole. */
struct place {
	const struct place *parent; /* NULL: this is the whole */
	const char *name;           /* of a member; NULL: an item */
	uint32_t name_size;
	uint32_t index;
};

struct run {
	struct arena *arena;
	struct json_schema_problem *problems;
	size_t count;
	unsigned quiet;       /* more than zero: only the verdict counts */
	unsigned depth;       /* of nested schemas */
	uint64_t steps;       /* that may still be done */
	const char *unjudged; /* why no verdict can be found; NULL: it can */
};

/* Does the value fit the node? */
bool run_node(struct run *run, const struct node *node, const struct value *value,
	const struct place *place);

/* Reports a problem of the rule. Returns false. */
bool run_problem(struct run *run, const struct rule *rule, const struct place *place,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Takes steps for work. False: there are not enough, so the value cannot be judged. */
bool run_spend(struct run *run, uint64_t steps);

/* Does the pattern match? False also if it needs too much work: then the value cannot be judged. */
bool run_match(struct run *run, const struct pattern *pattern, const char *text, size_t size);

judge_fn judge_kinds, judge_enum, judge_const, judge_all, judge_any, judge_one, judge_not,
	judge_reference, judge_minimum, judge_maximum, judge_above, judge_below, judge_multiple,
	judge_shortest, judge_longest, judge_pattern, judge_format, judge_fewest, judge_most,
	judge_required, judge_properties, judge_pattern_properties, judge_additional, judge_items,
	judge_prefix;

#endif
