/* statement.c - filling the schema into a statement */
#include "db/connection/statement.h"

#include <string.h>

#include "schemas/base/text.h"

#define PLACEHOLDER ":\"schema\""

char *statement_text(const char *sql, const char *schema)
{
	struct buffer text = { 0 };
	const char *found;
	while ((found = strstr(sql, PLACEHOLDER))) {
		buffer_add(&text, sql, (size_t)(found - sql));
		text_add_ident(&text, schema);
		sql = found + strlen(PLACEHOLDER);
	}
	text_add(&text, sql);
	return text_take(&text);
}
