/* ddl_source.c - looks columns up in the DDL */
#include "db/ddl/ddl_source.h"

#include <string.h>

static bool has_column(const struct ddl_source *table, const char *column)
{
	for (const struct ddl_column *c = table->columns; c->name; c++)
		if (strcmp(c->name, column) == 0)
			return true;
	for (const struct ddl_later *l = table->later; l->name; l++)
		if (strcmp(l->name, column) == 0)
			return true;
	return false;
}

enum ddl_known ddl_column_known(const char *table, const char *column)
{
	for (size_t i = 0; i < ddl_source_count; i++)
		if (ddl_sources[i].kind == DDL_TABLE && strcmp(ddl_sources[i].name, table) == 0)
			return has_column(&ddl_sources[i], column) ? DDL_OURS : DDL_ADDED;
	return DDL_FOREIGN;
}
