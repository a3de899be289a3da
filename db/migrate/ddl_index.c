/* ddl_index.c - checking a custom index and building its CREATE INDEX */
#include "db/migrate/ddl_index.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/text.h"

static bool ddl_index_table_known(const char *table)
{
	for (size_t i = 0; i < ddl_source_count; i++) {
		if (ddl_sources[i].kind == DDL_TABLE && !strcmp(ddl_sources[i].name, table))
			return true;
	}
	return false;
}

/* Returns the name at the start of "name DESC NULLS LAST". */
static char *ddl_index_column_name(const char *column)
{
	struct buffer name = { 0 };

	buffer_add(&name, column, strcspn(column, " "));
	return text_take(&name);
}

static bool ddl_index_column_valid(const char *column)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz ";
	char *name = ddl_index_column_name(column);
	const char *order = column + strlen(name);
	bool valid = ddl_identifier_valid(name) && order[strspn(order, letters)] == '\0';

	free(name);
	return valid;
}

static bool ddl_index_method_known(const char *method)
{
	static const char *const methods[] = { "btree", "hash", "gin", "gist", "spgist", "brin" };

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		if (!strcmp(methods[i], method))
			return true;
	}
	return false;
}

/* Has the text only letters, digits, _ and these marks? */
static bool ddl_index_plain(const char *text, const char *marks)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

	while (*text && (strchr(letters, *text) || strchr(marks, *text)))
		text++;
	return *text == '\0';
}

char *ddl_index_refuse(const struct ddl_index *index)
{
	struct buffer why = { 0 };

	if (!ddl_identifier_valid(index->name))
		text_addf(&why, "index %s: an index name has letters, digits and _ only",
			index->name);
	else if (!ddl_index_table_known(index->table))
		text_addf(&why, "index %s: table %s does not exist", index->name, index->table);
	else if (index->column_count == 0)
		text_addf(&why, "index %s: columns is empty", index->name);
	else if (index->method && !ddl_index_method_known(index->method))
		text_addf(&why,
			"index %s: method %s is none of btree, hash, gin, gist, spgist, brin",
			index->name, index->method);
	else if (index->opclass && !ddl_index_plain(index->opclass, "().= "))
		text_addf(&why, "index %s: %s is not the name of an operator class", index->name,
			index->opclass);
	else if (index->storage && !ddl_index_plain(index->storage, "=,'. "))
		text_addf(&why,
			"index %s: storage must be parameters such as fillfactor = 70, not %s",
			index->name, index->storage);
	for (size_t i = 0; why.size == 0 && i < index->column_count; i++) {
		if (!ddl_index_column_valid(index->columns[i]))
			text_addf(&why,
				"index %s: %s is not a column, optionally followed by its order",
				index->name, index->columns[i]);
	}
	return why.size ? text_take(&why) : NULL;
}

static void ddl_index_add_column(struct buffer *sql, const struct ddl_index *index,
	const char *column)
{
	char *name = ddl_index_column_name(column);

	text_add_ident(sql, name);
	if (index->opclass)
		text_addf(sql, " %s", index->opclass);
	text_add(sql, column + strlen(name));
	free(name);
}

static void ddl_index_add_tablespace(struct buffer *sql, const char *tablespace)
{
	text_add(sql, " TABLESPACE ");
	text_add_ident(sql, tablespace);
}

char *ddl_index_sql(const struct ddl_index *index)
{
	struct buffer sql = { 0 };

	text_addf(&sql, "CREATE %sINDEX :concurrently IF NOT EXISTS :\"name\"\n\tON :\"schema\".",
		index->unique ? "UNIQUE " : "");
	text_add_ident(&sql, index->table);
	if (index->method)
		text_addf(&sql, " USING %s", index->method);
	for (size_t i = 0; i < index->column_count; i++) {
		text_add(&sql, i ? ", " : " (");
		ddl_index_add_column(&sql, index, index->columns[i]);
	}
	text_add(&sql, ")");
	if (index->storage)
		text_addf(&sql, " WITH (%s)", index->storage);
	if (index->tablespace)
		ddl_index_add_tablespace(&sql, index->tablespace);
	if (index->where)
		text_addf(&sql, " WHERE %s", index->where);
	return text_take(&sql);
}
