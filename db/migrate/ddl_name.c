/* ddl_name.c - the reference's rules for names */
#include "db/migrate/ddl_name.h"

#include <locale.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "schemas/base/text.h"
#include "schemas/base/utf8.h"

#define HASH_DIGITS 8

static bool ddl_name_is_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_';
}

static bool ddl_name_is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* The length of the UTF-8 sequence at `s`; 0: not valid (overlong, surrogate, cut off). */
static size_t ddl_name_sequence(const unsigned char *s, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80  ? 1
		: s[0] >> 5 == 6  ? 2
		: s[0] >> 4 == 14 ? 3
		: s[0] >> 3 == 30 ? 4
				  : 0;

	if (!len)
		return 0;
	*code = len == 1 ? s[0] : s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	bool surrogate = *code >= 0xd800 && *code < 0xe000;
	return *code < least[len] || *code > 0x10ffff || surrogate ? 0 : len;
}

bool ddl_schema_valid(const char *schema)
{
	size_t size = strlen(schema);

	return size > 0 && size <= DDL_NAME_MAX && unicode_check(schema, size) == UNICODE_VALID;
}

bool ddl_identifier_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > DDL_NAME_MAX || ddl_name_is_digit((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!ddl_name_is_word((unsigned char)name[i]))
			return false;
	}
	return true;
}

/* Adds the sanitized schema name: _ replaces all but letters, digits and _. A character outside of the BMP
 * becomes two, because the reference counts UTF-16 units. */
static void ddl_name_add_prefix(struct buffer *text, const char *schema)
{
	const unsigned char *s = (const unsigned char *)schema;
	size_t len;
	uint32_t code;

	if (ddl_name_is_digit(*s))
		text_add(text, "_");
	for (; *s && (len = ddl_name_sequence(s, &code)); s += len) {
		if (ddl_name_is_word(*s))
			buffer_add(text, (const char *)s, 1);
		else
			text_add(text, len == 4 ? "__" : "_");
	}
	text_add(text, "_");
}

static void ddl_name_add_code(struct buffer *text, uint32_t code)
{
	if (code < 0x80)
		text_addf(text, "%c", (char)code);
	else if (code < 0x800)
		text_addf(text, "%c%c", (char)(0xc0 | code >> 6), (char)(0x80 | (code & 0x3f)));
	else if (code < 0x10000)
		text_addf(text, "%c%c%c", (char)(0xe0 | code >> 12),
			(char)(0x80 | (code >> 6 & 0x3f)), (char)(0x80 | (code & 0x3f)));
	else
		text_addf(text, "%c%c%c%c", (char)(0xf0 | code >> 18),
			(char)(0x80 | (code >> 12 & 0x3f)), (char)(0x80 | (code >> 6 & 0x3f)),
			(char)(0x80 | (code & 0x3f)));
}

/* Adds the string in Unicode's simple lower case, independent of the process's locale. */
static void ddl_name_add_lower(struct buffer *text, const char *string)
{
	const unsigned char *s = (const unsigned char *)string;
	locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	size_t len;
	uint32_t code;

	for (; *s && (len = ddl_name_sequence(s, &code)); s += len) {
		if (code >= 'A' && code <= 'Z')
			code += 'a' - 'A';
		else if (code >= 0x80 && locale)
			code = (uint32_t)towlower_l((wint_t)code, locale);
		ddl_name_add_code(text, code);
	}
	if (locale)
		freelocale(locale);
}

/* The length of the longest start of `string` with up to `max` bytes and whole characters. */
static size_t ddl_name_cut(const char *string, size_t max)
{
	size_t len = strlen(string);

	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)string[max] & 0xc0) == 0x80)
		max--;
	return max;
}

static void ddl_name_set_name(struct ddl_name *name, const char *bytes, size_t len)
{
	memcpy(name->text, bytes, len);
	name->text[len] = '\0';
}

static void ddl_name_set_hashed(struct ddl_name *name, const char *full)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	size_t len = ddl_name_cut(full, DDL_NAME_MAX - 1 - HASH_DIGITS);

	ddl_name_set_name(name, full, len);
	if (!SHA256((const unsigned char *)full, strlen(full), digest))
		abort();
	snprintf(name->text + len, sizeof name->text - len, "_%02x%02x%02x%02x", digest[0],
		digest[1], digest[2], digest[3]);
}

/* Adds the full name, without a limit. */
static void ddl_name_add_full(struct buffer *full, enum ddl_naming naming, const char *schema,
	const char *base)
{
	bool named = strcmp(schema, "public") != 0;
	struct buffer mixed = { 0 };

	if (naming == DDL_CONSTRAINED || (naming == DDL_PREFIXED && named))
		ddl_name_add_prefix(&mixed, schema);
	else if (naming != DDL_FIXED && named)
		text_addf(&mixed, "%s_", schema);
	text_add(&mixed, base);
	if (naming == DDL_FIXED || naming == DDL_PREFIXED)
		text_add(full, text_string(&mixed));
	else
		ddl_name_add_lower(full, text_string(&mixed));
	buffer_free(&mixed);
}

bool ddl_name_make(enum ddl_naming naming, const char *schema, const char *base,
	struct ddl_name *name)
{
	struct buffer full = { 0 };
	bool made = true;

	ddl_name_add_full(&full, naming, schema, base);
	const char *string = text_string(&full);
	if (naming == DDL_PREFIXED && full.size > DDL_NAME_MAX)
		made = false;
	else if (naming == DDL_HASHED && full.size > DDL_NAME_MAX)
		ddl_name_set_hashed(name, string);
	else
		ddl_name_set_name(name, string, ddl_name_cut(string, DDL_NAME_MAX));
	buffer_free(&full);
	return made;
}

void ddl_name_hash(const char *schema, const char *base, struct ddl_name *name)
{
	struct buffer full = { 0 };

	ddl_name_add_full(&full, DDL_CONSTRAINED, schema, base);
	ddl_name_set_hashed(name, text_string(&full));
	buffer_free(&full);
}
