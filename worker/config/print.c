/*
 * print.c - prints the effective configuration, and the reference of all keys
 */
#include "worker/config/print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "worker/config/keys.h"
#include "worker/config/mask.h"
#include "worker/config/state.h"

#define MASK "***"
#define ORIGIN_COLUMN 56

/* Prints in libconfig's notation, so that a user can paste the output into a file. */
static void print_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		if (*text == '\n')
			fputs("\\n", out);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void print_text(FILE *out, const struct config_key *key, const char *text)
{
	char *shown;

	if (!key->secret) {
		print_quoted(out, text);
		return;
	}
	shown = strcmp(key->path, "postgres.connectionString") == 0 ? config_masked(text)
								    : alloc_copy(MASK);
	print_quoted(out, shown);
	free(shown);
}

/* The only secret list holds librdkafka's properties. */
static char *shown_item(const struct config_key *key, const char *item)
{
	size_t name_len = strcspn(item, "=");

	if (key->secret && config_property_is_secret(item, name_len))
		return alloc_printf("%.*s=" MASK, (int)name_len, item);
	return alloc_copy(item);
}

static void print_texts(FILE *out, const struct config_key *key, const struct config_list *list)
{
	fputc('[', out);
	for (size_t i = 0; i < list->count; i++) {
		char *shown = shown_item(key, list->items[i]);

		fputs(i ? ", " : "", out);
		print_quoted(out, shown);
		free(shown);
	}
	fputc(']', out);
}

static void print_member(FILE *out, const char *name, const char *value)
{
	if (!value)
		return;
	fprintf(out, " %s = ", name);
	print_quoted(out, value);
	fputs(";", out);
}

static void print_indexes(FILE *out, const struct config_key *key, const struct config *config)
{
	fputs("(", out);
	for (size_t i = 0; i < config->postgres.index_count; i++) {
		const struct config_index *index = &config->postgres.indexes[i];

		fprintf(out, "%s { name = \"%s\"; table = \"%s\"; columns = ", i ? "," : "",
			index->name, index->table);
		print_texts(out, key, &index->columns);
		fprintf(out, "; unique = %s;", index->unique ? "true" : "false");
		print_member(out, "where", index->where);
		print_member(out, "method", index->method);
		print_member(out, "opclass", index->opclass);
		print_member(out, "storage", index->storage);
		print_member(out, "tablespace", index->tablespace);
		fputs(index->concurrent ? " }" : " concurrent = false; }", out);
	}
	fputs(config->postgres.index_count ? " )" : ")", out);
}

/* Returns false if the key is not set or stores no value. */
static bool config_print_value(FILE *out, const struct config *config, const struct config_key *key)
{
	const void *member = config_member_const(config, key);
	unsigned choice;

	switch (key->kind) {
	case CONFIG_TEXT:
	case CONFIG_CHOICE:
		if (!*(char *const *)member)
			return false;
		print_text(out, key, *(char *const *)member);
		return true;
	case CONFIG_INTEGER:
		if (*(const int64_t *)member == 0 && !key->fallback)
			return false;
		fprintf(out, "%" PRId64, *(const int64_t *)member);
		return true;
	case CONFIG_SWITCH:
		fputs(*(const bool *)member ? "true" : "false", out);
		return true;
	case CONFIG_ENUM:
		memcpy(&choice, member, sizeof(choice));
		print_quoted(out, key->choices[choice]);
		return true;
	case CONFIG_TEXTS:
		print_texts(out, key, member);
		return true;
	case CONFIG_INDEXES:
		print_indexes(out, key, config);
		return true;
	default:
		return false;
	}
}

static void config_print_line(FILE *out, const struct config *config, const struct config_key *key,
	const char *where)
{
	char *line = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&line, &size);
	bool set;

	fprintf(memory, "%s = ", key->path);
	set = config_print_value(memory, config, key);
	fputc(';', memory);
	fclose(memory);
	if (set)
		fprintf(out, "%-*s # %s\n", ORIGIN_COLUMN, line, where ? where : "default");
	else
		fprintf(out, "# %s is not set\n", key->path);
	free(line);
}

void config_print(const struct config *config, FILE *out)
{
	const struct config_full *full = (const struct config_full *)config;

	for (size_t i = 0; i < config_key_count; i++)
		if (!config_keys[i].target)
			config_print_line(out, config, &config_keys[i], full->origins[i].where);
}

static void print_type(FILE *out, const struct config_key *key)
{
	static const char *const names[] = {
		[CONFIG_TEXT] = "text",
		[CONFIG_INTEGER] = "integer",
		[CONFIG_SWITCH] = "true, false",
		[CONFIG_CHOICE] = "",
		[CONFIG_ENUM] = "",
		[CONFIG_TEXTS] = "list of texts",
		[CONFIG_INDEXES] = "list of groups",
		[CONFIG_SECRET_FILE] = "file name",
		[CONFIG_TEXTS_FILE] = "file name",
	};

	fputs(names[key->kind], out);
	if (key->kind == CONFIG_INTEGER)
		fprintf(out, ", %" PRId64 " to %" PRId64, key->min, key->max);
	for (size_t i = 0; key->choices && key->choices[i]; i++)
		fprintf(out, "%s%.*s", i ? ", " : "", (int)strcspn(key->choices[i], "="),
			key->choices[i]);
}

/* Escapes |, which would end the table's cell. */
static void print_cell(FILE *out, const char *text)
{
	for (; *text; text++)
		fprintf(out, *text == '|' ? "\\%c" : "%c", *text);
}

static void print_default(FILE *out, const struct config_key *key)
{
	if (!key->fallback)
		return;
	if (!*key->fallback) {
		fputs("empty", out);
		return;
	}
	fputc('`', out);
	print_cell(out, key->fallback);
	fputc('`', out);
}

static void config_print_row(FILE *out, const struct config_key *key)
{
	char variable[CONFIG_NAME_MAX];

	config_key_variable(key->path, variable);
	fprintf(out, "| `%s`<br>`%s` | ", key->path, variable);
	print_type(out, key);
	fputs(" | ", out);
	print_default(out, key);
	fputs(" | ", out);
	print_cell(out, key->help);
	fputs(" |\n", out);
}

void config_print_reference(FILE *out)
{
	const char *group = "";

	fputs("# Configuration of Stowage\n\n"
	      "One file in libconfig's notation: the file of `--config`, else `STOWAGE_CONFIG`, else\n"
	      "`/etc/stowage/stowage.conf` if it exists. The environment variable below each key overrides\n"
	      "the file. In a variable, commas separate the items of a list; write a comma inside an item\n"
	      "as `\\,`. Stowage reads the configuration once, at start.\n",
		out);
	for (size_t i = 0; i < config_key_count; i++) {
		size_t len = strcspn(config_keys[i].path, ".");

		if (strncmp(group, config_keys[i].path, len + 1) != 0) {
			group = config_keys[i].path;
			fprintf(out,
				"\n## %.*s\n\n| key | type | default | meaning |\n|---|---|---|---|\n",
				(int)len, group);
		}
		config_print_row(out, &config_keys[i]);
	}
}
