/* statement.c - filling the schema into a statement, and naming it */
#include "db/connection/statement.h"

#include <openssl/sha.h>
#include <stdint.h>
#include <stdlib.h>
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

void statement_name(const char *sql, const char *schema, char name[STATEMENT_NAME_MAX])
{
	/* Small letters and digits, which need no quotes in DEALLOCATE. */
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz012345";
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct buffer text = { 0 };
	buffer_add(&text, schema, strlen(schema) + 1);
	text_add(&text, sql);
	if (!SHA256((const unsigned char *)text.data, text.size, digest))
		abort();
	buffer_free(&text);
	name[0] = 's';
	for (size_t i = 1; i < STATEMENT_NAME_MAX - 1; i++)
		name[i] = digits[digest[i] % 32];
	name[STATEMENT_NAME_MAX - 1] = '\0';
}
