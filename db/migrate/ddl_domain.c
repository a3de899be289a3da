/* ddl_domain.c - the reference's tables by domain, and names for indexes without one */
#include "db/migrate/ddl_domain.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/text.h"

/* A table of the reference, in the domain. NULL: any domain. */
static bool ddl_domain_is_table(const struct ddl_source *source, const char *domain)
{
	return source->kind == DDL_TABLE && !source->own &&
		(!domain || strcmp(source->domain, domain) == 0);
}

const char *ddl_domain(size_t i)
{
	const char *last = "";

	for (size_t at = 0; at < ddl_source_count; at++) {
		const struct ddl_source *source = &ddl_sources[at];
		if (!ddl_domain_is_table(source, NULL) || strcmp(source->domain, last) == 0)
			continue;
		last = source->domain;
		if (i-- == 0)
			return last;
	}
	return NULL;
}

static void ddl_domain_add_table(struct buffer *list, const struct ddl_source *table, bool columns)
{
	text_addf(list, "%s%s", list->size ? columns ? "; " : ", " : "", table->name);
	if (!columns)
		return;
	for (const struct ddl_column *column = table->columns; column->name; column++)
		text_addf(list, "%s%s", column == table->columns ? " (" : ", ", column->name);
	text_add(list, ")");
}

const char *ddl_domain_table(const char *domain, const char *table, char **why)
{
	struct buffer list = { 0 }, text = { 0 };

	for (size_t i = 0; i < ddl_source_count; i++) {
		const struct ddl_source *source = &ddl_sources[i];
		if (!ddl_domain_is_table(source, domain))
			continue;
		if (strcmp(source->name, table) == 0) {
			buffer_free(&list);
			return source->name;
		}
		ddl_domain_add_table(&list, source, false);
	}
	text_addf(&text, "%s is not a table of %s, whose tables are %s", table, domain,
		text_string(&list));
	buffer_free(&list);
	*why = text_take(&text);
	return NULL;
}

/* `wanted` may have an order behind the name. */
static bool ddl_domain_has_column(const struct ddl_source *table, const char *wanted)
{
	size_t len = strcspn(wanted, " ");

	for (const struct ddl_column *column = table->columns; column->name; column++)
		if (strlen(column->name) == len && strncmp(column->name, wanted, len) == 0)
			return true;
	return false;
}

static bool ddl_domain_has_columns(const struct ddl_source *table, const char *const *columns,
	size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!ddl_domain_has_column(table, columns[i]))
			return false;
	return true;
}

/* Lists the domain's tables. `columns`: only those that have all of them. */
static char *ddl_domain_tables(const char *domain, const char *const *columns, size_t count)
{
	struct buffer list = { 0 };

	for (size_t i = 0; i < ddl_source_count; i++)
		if (ddl_domain_is_table(&ddl_sources[i], domain) &&
			ddl_domain_has_columns(&ddl_sources[i], columns, count))
			ddl_domain_add_table(&list, &ddl_sources[i], true);
	return text_take(&list);
}

static char *ddl_domain_unclear(const char *domain, const char *const *columns, size_t count,
	size_t found)
{
	char *tables = ddl_domain_tables(domain, columns, found ? count : 0);
	struct buffer text = { 0 };

	text_add(&text, found ? "several tables of " : "no table of ");
	text_addf(&text, "%s %s", domain, found ? "have" : "has");
	for (size_t i = 0; i < count; i++)
		text_addf(&text, "%s%.*s", i ? ", " : " ", (int)strcspn(columns[i], " "),
			columns[i]);
	text_addf(&text, "%s: %s", found ? "; name one in `table`" : "; its tables are", tables);
	free(tables);
	return text_take(&text);
}

const char *ddl_domain_table_with(const char *domain, const char *const *columns, size_t count,
	char **why)
{
	const char *table = NULL;
	size_t found = 0;

	for (size_t i = 0; i < ddl_source_count; i++) {
		if (!ddl_domain_is_table(&ddl_sources[i], domain) ||
			!ddl_domain_has_columns(&ddl_sources[i], columns, count))
			continue;
		table = ddl_sources[i].name;
		found++;
	}
	if (found == 1)
		return table;
	*why = ddl_domain_unclear(domain, columns, count, found);
	return NULL;
}

struct ddl_name ddl_domain_index_name(const char *table, const char *const *columns, size_t count,
	const char *method)
{
	struct buffer base = { 0 };
	struct ddl_name name;

	text_add(&base, table);
	for (size_t i = 0; i < count; i++) {
		text_add(&base, "_");
		for (const char *at = columns[i]; *at; at++)
			text_addf(&base, "%c", isalnum((unsigned char)*at) ? *at : '_');
	}
	text_addf(&base, "_%s_idx", method);
	/* Hashed names always exist. */
	if (!ddl_name_make(DDL_HASHED, "public", text_string(&base), &name))
		abort();
	buffer_free(&base);
	return name;
}
