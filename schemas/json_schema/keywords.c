/* keywords.c - the keywords that are supported */
#include <string.h>

#include "schemas/json_schema/compiler.h"
#include "schemas/json_schema/judge.h"

#define OBJECT KIND(JSON_OBJECT_KIND)
#define ARRAY KIND(JSON_ARRAY_KIND)
#define STRING KIND(JSON_STRING_KIND)
#define NUMBER KIND(JSON_NUMBER_KIND)

#define ANNOTATION(name, read) { name, read, NULL, 0, NULL, false }

static const struct keyword keywords[] = {
	{ "type", keyword_read_kinds, judge_kinds, KIND_ANY, "invalid_type", false },
	{ "enum", keyword_read_enum, judge_enum, KIND_ANY, "invalid_value", false },
	{ "const", keyword_read_any, judge_const, KIND_ANY, "invalid_value", false },
	{ "allOf", keyword_read_schemas, judge_all, KIND_ANY, NULL, true },
	{ "anyOf", keyword_read_schemas, judge_any, KIND_ANY, "invalid_union", true },
	{ "oneOf", keyword_read_schemas, judge_one, KIND_ANY, "invalid_union", true },
	{ "not", keyword_read_schema, judge_not, KIND_ANY, "custom", true },
	{ "$ref", keyword_read_reference, judge_reference, KIND_ANY, NULL, true },
	{ "minimum", keyword_read_number, judge_minimum, NUMBER, "too_small", false },
	{ "maximum", keyword_read_number, judge_maximum, NUMBER, "too_big", false },
	{ "exclusiveMinimum", keyword_read_number, judge_above, NUMBER, "too_small", false },
	{ "exclusiveMaximum", keyword_read_number, judge_below, NUMBER, "too_big", false },
	{ "multipleOf", keyword_read_divisor, judge_multiple, NUMBER, "not_multiple_of", false },
	{ "minLength", keyword_read_count, judge_shortest, STRING, "too_small", false },
	{ "maxLength", keyword_read_count, judge_longest, STRING, "too_big", false },
	{ "pattern", keyword_read_pattern, judge_pattern, STRING, "invalid_format", false },
	{ "format", keyword_read_format, judge_format, STRING, "invalid_format", false },
	{ "minItems", keyword_read_count, judge_fewest, ARRAY, "too_small", false },
	{ "maxItems", keyword_read_count, judge_most, ARRAY, "too_big", false },
	{ "items", keyword_read_items, judge_items, ARRAY, NULL, false },
	{ "prefixItems", keyword_read_prefix, judge_prefix, ARRAY, NULL, false },
	{ "minProperties", keyword_read_count, judge_fewest, OBJECT, "too_small", false },
	{ "maxProperties", keyword_read_count, judge_most, OBJECT, "too_big", false },
	{ "required", keyword_read_names, judge_required, OBJECT, "invalid_type", false },
	{ "properties", keyword_read_properties, judge_properties, OBJECT, NULL, false },
	{ "patternProperties", keyword_read_patterns, judge_pattern_properties, OBJECT, NULL,
		false },
	{ "additionalProperties", keyword_read_schema, judge_additional, OBJECT,
		"unrecognized_keys", false },
	ANNOTATION("nullable", keyword_read_nullable),
	ANNOTATION("$defs", keyword_read_definitions),
	ANNOTATION("definitions", keyword_read_definitions),
	ANNOTATION("$schema", keyword_read_dialect),
	ANNOTATION("$comment", keyword_read_text),
	ANNOTATION("title", keyword_read_text),
	ANNOTATION("description", keyword_read_text),
	ANNOTATION("default", keyword_read_any),
	ANNOTATION("examples", keyword_read_any),
	ANNOTATION("deprecated", keyword_read_flag),
	ANNOTATION("readOnly", keyword_read_flag),
	ANNOTATION("writeOnly", keyword_read_flag),
};

const struct keyword *keyword_find(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
		if (strlen(keywords[i].name) == size && memcmp(keywords[i].name, name, size) == 0)
			return &keywords[i];
	return NULL;
}
