/*
 * ddl_domain.h - the reference's tables by domain, for indexes that name a domain and no table
 *
 * Pure functions over constant data; any thread. The names that they return live for ever; the caller frees
 * a reason.
 */
#ifndef DB_MIGRATE_DDL_DOMAIN_H
#define DB_MIGRATE_DDL_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "db/migrate/ddl_name.h"

/* Domain `i` of those that have tables, NULL behind the last one. */
const char *ddl_domain(size_t i);

/* The domain's table of this name. NULL: it has none, and *why names its tables. */
const char *ddl_domain_table(const char *domain, const char *table, char **why);

/* The domain's one table that has all these columns, each "name" or "name DESC". NULL: several tables or none
 * have them, and *why lists the tables with their columns. */
const char *ddl_domain_table_with(const char *domain, const char *const *columns, size_t count,
	char **why);

/* The name of an index that has none: made from its table, columns and method. */
struct ddl_name ddl_domain_index_name(const char *table, const char *const *columns, size_t count,
	const char *method);

#endif
