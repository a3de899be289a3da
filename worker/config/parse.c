/*
 * parse.c - reads a value of any type that is written as one text
 */
#include "worker/config/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "worker/config/indexes.h"
#include "worker/config/list.h"
#include "worker/config/value.h"

static void parse_integer(struct config_load *load, const struct config_key *key, const char *where,
	const char *text)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (end == text || *end || isspace((unsigned char)*text))
		config_mistake(load, where, key->path, "\"%s\" is not a whole number", text);
	else if (errno == ERANGE)
		config_mistake(load, where, key->path,
			"%s is out of range: it must be from %lld to %lld", text,
			(long long)key->min, (long long)key->max);
	else
		config_set_integer(load, key, where, value);
}

static void parse_switch(struct config_load *load, const struct config_key *key, const char *where,
	const char *text)
{
	static const char *const words[2][4] = {
		{ "false", "no", "off", "0" },
		{ "true", "yes", "on", "1" },
	};

	for (size_t value = 0; value < 2; value++)
		for (size_t i = 0; i < 4; i++)
			if (strcasecmp(text, words[value][i]) == 0) {
				config_set_switch(load, key, where, value);
				return;
			}
	config_mistake(load, where, key->path, "\"%s\" is neither true nor false", text);
}

/* Items are separated by commas; \, is a comma inside an item. */
static void parse_texts(struct config_load *load, const struct config_key *key, const char *where,
	const char *text)
{
	struct config_list list = { 0 };
	char *item = alloc_copy(text);
	size_t used = 0;

	for (const char *at = text; *text; at++) {
		if (*at == ',' || !*at) {
			config_list_add(&list, alloc_bytes(item, used));
			used = 0;
		} else {
			at += at[0] == '\\' && at[1] == ',';
			item[used++] = *at;
		}
		if (!*at)
			break;
	}
	free(item);
	config_set_texts(load, key, where, list);
}

void config_set_from_text(struct config_load *load, const struct config_key *key, const char *where,
	const char *text)
{
	switch (key->kind) {
	case CONFIG_INTEGER:
		parse_integer(load, key, where, text);
		break;
	case CONFIG_SWITCH:
		parse_switch(load, key, where, text);
		break;
	case CONFIG_TEXTS:
		parse_texts(load, key, where, text);
		break;
	case CONFIG_INDEXES:
		config_set_indexes_from_text(load, key, where, text);
		break;
	default:
		config_set_text(load, key, where, text);
	}
}
