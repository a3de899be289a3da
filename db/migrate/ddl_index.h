/*
 * ddl_index.h - a custom index of the configuration as SQL
 *
 * Pure functions; any thread. The caller frees the returned strings.
 */
#ifndef DB_MIGRATE_DDL_INDEX_H
#define DB_MIGRATE_DDL_INDEX_H

#include "db/migrate/ddl.h"

/* The reason to reject this index, in one line; NULL: none. */
char *ddl_index_refuse(const struct ddl_index *index);

/* The statement of an accepted index, with the placeholders of db/ddl. */
char *ddl_index_sql(const struct ddl_index *index);

#endif
