/*
 * ddl_index.h - an index of the configuration as SQL
 *
 * Pure; any thread. The caller frees what is returned.
 */
#ifndef DB_MIGRATE_DDL_INDEX_H
#define DB_MIGRATE_DDL_INDEX_H

#include "db/migrate/ddl.h"

/* Why this index can't be made, in one line; NULL if it can. */
char *ddl_index_refuse(const struct ddl_index *index);

/* The statement of one that can, with the placeholders of db/ddl. */
char *ddl_index_sql(const struct ddl_index *index);

#endif
