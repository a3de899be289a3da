/*
 * javascript.h - JavaScript's regular expressions in PCRE2's spelling
 *
 * Pure function on an arena. Source: ECMA-262, "Patterns".
 */
#ifndef SCHEMAS_JSON_SCHEMA_JAVASCRIPT_H
#define SCHEMAS_JSON_SCHEMA_JAVASCRIPT_H

#include <stdbool.h>

#include "schemas/base/arena.h"
#include "schemas/base/datum.h"
#include "schemas/json/json.h"

/* False: the pattern uses what only PCRE2 knows; *why says so. Does not find mistakes that PCRE2 finds. */
bool javascript_translate(struct arena *arena, const struct datum *source, struct json *out,
	const char **why) __attribute__((warn_unused_result));

#endif
