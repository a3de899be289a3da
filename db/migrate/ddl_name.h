/*
 * ddl_name.h - the names of schemas, and of the indexes and constraints in them
 *
 * Deployed databases have the reference's names, so these functions follow its rules to the byte. In a
 * schema other than public, an index's name begins with the schema's name. For names of more than
 * PostgreSQL's 63 bytes, the rule depends on the object:
 *
 *   DDL_FIXED        the same name in every schema
 *   DDL_PREFIXED     prefixed with the sanitized schema name, in its case; too long: no such index
 *   DDL_LOWERED      prefixed with the schema name as it is, in lower case, cut off at 63 bytes
 *   DDL_HASHED       like DDL_LOWERED, but a name cut off ends in _ and 8 digits of the full name's SHA-256
 *   DDL_CONSTRAINED  prefixed with the sanitized schema name, also for public; lower case, cut off
 *
 * Pure functions; any thread.
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

/* A valid schema name has 1 to 63 bytes of UTF-8. PostgreSQL cuts a longer one off. */
bool ddl_schema_valid(const char *schema);

/* A valid name of an index or a column has letters, digits and _, and no digit first. */
bool ddl_identifier_valid(const char *name);

/* Makes an object's name in a valid schema. False: the schema gets no such object. */
bool ddl_name_make(enum ddl_naming naming, const char *schema, const char *base,
	struct ddl_name *name) __attribute__((warn_unused_result));

/* The hashed name of a constraint whose cut-off name is taken. */
void ddl_name_hash(const char *schema, const char *base, struct ddl_name *name);

#endif
