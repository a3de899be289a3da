/*
 * ddl_name.h - the names of schemas, and of indexes and constraints in them
 *
 * The reference keeps these names in deployed databases, so its rules are kept to the byte. In
 * a schema other than public, an index's name begins with the schema's, and a name that grows
 * beyond PostgreSQL's 63 bytes is treated in a way that depends on the object:
 *
 *   DDL_FIXED        the name as it is, in every schema
 *   DDL_PREFIXED     the schema's name before it, case kept; too long: there is no such index
 *   DDL_LOWERED      schema unsanitized, lower case, cut off at 63 bytes
 *   DDL_HASHED       the same, but one cut off ends in _ and 8 digits of the full name's SHA-256
 *   DDL_CONSTRAINED  the prefix for public, too; lower case, cut off at 63 bytes
 *
 * Pure; any thread.
 */
#ifndef DB_MIGRATE_DDL_NAME_H
#define DB_MIGRATE_DDL_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "db/ddl/ddl_source.h"

#define DDL_NAME_MAX 63

/* A PostgreSQL identifier with its NUL. */
struct ddl_name {
	char text[DDL_NAME_MAX + 1];
};

/* Whether this can be a schema's name: 1 to 63 bytes of UTF-8 without quotes, backslash, $ and
 * control characters (which could break out of a literal or a dollar-quoted body). */
bool ddl_schema_valid(const char *schema);

/* Whether this can be the name of an index or column: letters, digits, _; no digit first. */
bool ddl_identifier_valid(const char *name);

/* The name of an object in a valid schema; false: an object of that name is not made there. */
bool ddl_name_make(enum ddl_naming naming, const char *schema, const char *base,
	struct ddl_name *name) __attribute__((warn_unused_result));

/* The name of a constraint whose cut-off name another one has already: with a hash. */
void ddl_name_hash(const char *schema, const char *base, struct ddl_name *name);

#endif
