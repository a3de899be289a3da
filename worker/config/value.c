/*
 * value.c - stores one key's value, from any source
 */
#include "worker/config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/nearest.h"
#include "worker/config/keys.h"
#include "worker/config/list.h"
#include "worker/config/secret.h"

#define WHY_MAX 400

/* Records the origin of the value. Returns false if the same source has already set the key. */
static bool config_value_claim(struct config_load *load, const struct config_key *key,
	const char *where)
{
	struct config_origin *origin = config_origin(load, key);

	if (origin->where && origin->source == load->source) {
		config_mistake(load, where, key->path,
			"is given twice, here and by %s: remove one of them", origin->where);
		return false;
	}
	free(origin->where);
	origin->source = load->source;
	origin->where = load->source == CONFIG_FROM_DEFAULT ? NULL : alloc_copy(where);
	return true;
}

/* Returns the choice that the text names, also by an alias; NULL if there is none. */
static const char *find_choice(const char *const *choices, const char *text, size_t *index)
{
	size_t len = strlen(text);

	for (size_t i = 0; choices[i]; i++) {
		const char *alias = strchr(choices[i], '=');

		*index = i;
		if (!alias && strcmp(choices[i], text) == 0)
			return choices[i];
		if (alias && len == (size_t)(alias - choices[i]) &&
			strncmp(choices[i], text, len) == 0)
			return alias + 1;
	}
	return NULL;
}

static void wrong_choice(struct config_load *load, const struct config_key *key, const char *where,
	const char *text)
{
	struct nearest nearest = { .wanted = text };
	char *known = alloc_copy("");

	for (size_t i = 0; key->choices[i]; i++) {
		size_t len = strcspn(key->choices[i], "=");
		char *longer = alloc_printf("%s%s%.*s", known, i ? ", " : "", (int)len,
			key->choices[i]);

		free(known);
		known = longer;
		if (!key->choices[i][len])
			nearest_offer(&nearest, key->choices[i]);
	}
	config_mistake(load, where, key->path, "\"%s\" is not one of %s%s%s%s", text, known,
		nearest.found ? "; did you mean " : "", nearest.found ? nearest.found : "",
		nearest.found ? "?" : "");
	free(known);
}

static void set_choice(struct config_load *load, const struct config_key *key, const char *where,
	const char *text)
{
	void *member = config_member(&load->full->config, key);
	size_t index;
	const char *choice = find_choice(key->choices, text, &index);

	if (!choice) {
		wrong_choice(load, key, where, text);
		return;
	}
	if (!config_value_claim(load, key, where))
		return;
	if (key->kind == CONFIG_ENUM) {
		unsigned value = (unsigned)index;

		memcpy(member, &value, sizeof(value));
		return;
	}
	free(*(char **)member);
	*(char **)member = alloc_copy(choice);
}

/* Reports a mistake with `hint` after the reason. */
static bool text_ok(struct config_load *load, const struct config_key *key, const char *where,
	const char *text, const char *hint)
{
	char why[WHY_MAX];

	if (!key->check || key->check(text, why, sizeof(why)))
		return true;
	if (key->secret)
		config_mistake(load, where, key->path, "%s%s", why, hint);
	else
		config_mistake(load, where, key->path, "\"%s\" %s%s", text, why, hint);
	return false;
}

/* Remembers the file that holds the key's value; NULL: none does. */
static void set_file(struct config_load *load, const struct config_key *key, const char *path)
{
	char **file = &load->full->files[key - config_keys];

	free(*file);
	*file = path ? alloc_copy(path) : NULL;
}

/* An empty text resets a key without default to "not set". */
static void set_plain_text(struct config_load *load, const struct config_key *key,
	const char *where, const char *text)
{
	char **member = config_member(&load->full->config, key);

	if (!*text && key->min > 0) {
		config_mistake(load, where, key->path, "must not be empty");
		return;
	}
	if ((*text && !text_ok(load, key, where, text, "")) ||
		!config_value_claim(load, key, where))
		return;
	free(*member);
	*member = *text || key->fallback ? alloc_copy(text) : NULL;
	set_file(load, key, NULL);
}

void config_set_integer(struct config_load *load, const struct config_key *key, const char *where,
	int64_t value)
{
	int64_t *member = config_member(&load->full->config, key);

	if (value < key->min || value > key->max) {
		config_mistake(load, where, key->path,
			"%lld is out of range: it must be from %lld to %lld", (long long)value,
			(long long)key->min, (long long)key->max);
		return;
	}
	if (config_value_claim(load, key, where))
		*member = value;
}

void config_set_switch(struct config_load *load, const struct config_key *key, const char *where,
	bool value)
{
	bool *member = config_member(&load->full->config, key);

	if (config_value_claim(load, key, where))
		*member = value;
}

void config_set_texts(struct config_load *load, const struct config_key *key, const char *where,
	struct config_list list)
{
	struct config_list *member = config_member(&load->full->config, key);
	bool parted = load->source == CONFIG_FROM_ENVIRONMENT && list.count > 1;
	const char *hint = parted ? "; in a variable a comma inside an item is written \\," : "";
	bool ok = true;

	for (size_t i = 0; i < list.count; i++)
		ok = text_ok(load, key, where, list.items[i], hint) && ok;
	if (ok && list.count < (size_t)key->min) {
		config_mistake(load, where, key->path, "needs at least %lld", (long long)key->min);
		ok = false;
	}
	if (!ok || !config_value_claim(load, key, where)) {
		config_list_clear(&list);
		return;
	}
	config_list_clear(member);
	*member = list;
}

void config_set_indexes(struct config_load *load, const struct config_key *key, const char *where,
	struct config_index *indexes, size_t count)
{
	struct config *config = &load->full->config;

	if (!config_value_claim(load, key, where)) {
		config_indexes_clear(indexes, count);
		return;
	}
	config_indexes_clear(config->postgres.indexes, config->postgres.index_count);
	config->postgres.indexes = indexes;
	config->postgres.index_count = count;
}

/* Returns the file's text, which the caller frees; NULL after a mistake. */
static char *read_secret(struct config_load *load, const struct config_key *key, const char *where,
	const char *path)
{
	char why[WHY_MAX];
	char *text = config_secret_read(path, why, sizeof(why));

	if (!text)
		config_mistake(load, where, key->path, "%s", why);
	return text;
}

static void set_from_file(struct config_load *load, const struct config_key *key, const char *where,
	const char *path)
{
	const struct config_key *target = config_key_find(key->target);
	char *text = read_secret(load, key, where, path);
	char *origin;
	size_t mistakes = load->mistakes;

	if (!text)
		return;
	origin = alloc_printf("%s, %s in %s", path, key->path, where);
	config_set_text(load, target, origin, text);
	if (load->mistakes == mistakes)
		set_file(load, target, path);
	free(origin);
	free(text);
}

/* Removes blanks around =. Blanks at the end of a line belong to the value, as in Java's
 * properties. */
static char *property_of(const char *line)
{
	size_t len = strcspn(line, "=");
	const char *value = line + len;

	if (!*value)
		return alloc_copy(line);
	value += 1 + strspn(value + 1, " \t");
	while (len > 0 && strchr(" \t", line[len - 1]))
		len--;
	return alloc_printf("%.*s=%s", (int)len, line, value);
}

static void add_line(struct config_load *load, const struct config_key *target, const char *path,
	int number, const char *line)
{
	char *property = property_of(line), *origin = alloc_printf("%s:%d", path, number);

	if (text_ok(load, target, origin, property, ""))
		config_list_add(&load->lines, property);
	else
		free(property);
	free(origin);
}

/* Adds the lines of a properties file, without comments and empty lines. */
static void add_lines(struct config_load *load, const struct config_key *target, const char *path,
	char *text)
{
	char *rest = NULL;
	int number = 0;

	for (char *line = text; line; line = rest) {
		char *end = line + strcspn(line, "\r\n");

		rest = *end ? end + 1 : NULL;
		number += end == line || end[-1] != '\r';
		*end = '\0';
		line += strspn(line, " \t");
		if (*line && *line != '#')
			add_line(load, target, path, number, line);
	}
}

/* Keeps the lines for config_join_lines, so that a later source of the list does not remove them.
 * An empty path means no file. */
static void set_lines(struct config_load *load, const struct config_key *key, const char *where,
	const char *path)
{
	char *origin = alloc_printf("%s, %s in %s", path, key->path, where);
	bool claimed = config_value_claim(load, key, origin);
	char *text;

	free(origin);
	if (!claimed)
		return;
	set_file(load, key, *path ? path : NULL);
	config_list_clear(&load->lines);
	text = *path ? read_secret(load, key, where, path) : NULL;
	add_lines(load, config_key_find(key->target), path, text);
	free(text);
}

void config_join_lines(struct config_load *load)
{
	const struct config_key *key = config_key_find("kafka.propertiesFile");
	const struct config_key *target = config_key_find(key->target);
	struct config_list *list = config_member(&load->full->config, target);
	struct config_origin *origin = config_origin(load, target);
	const char *file = config_origin(load, key)->where;
	char *both;

	if (load->lines.count == 0)
		return;
	for (size_t i = 0; i < list->count; i++)
		config_list_add(&load->lines, list->items[i]);
	free(list->items);
	*list = load->lines;
	load->lines = (struct config_list){ 0 };
	both = alloc_printf("%s%s%s", file, origin->where ? ", " : "",
		origin->where ? origin->where : "");
	free(origin->where);
	origin->where = both;
}

void config_set_text(struct config_load *load, const struct config_key *key, const char *where,
	const char *text)
{
	switch (key->kind) {
	case CONFIG_CHOICE:
	case CONFIG_ENUM:
		set_choice(load, key, where, text);
		break;
	case CONFIG_SECRET_FILE:
		set_from_file(load, key, where, text);
		break;
	case CONFIG_TEXTS_FILE:
		set_lines(load, key, where, text);
		break;
	default:
		set_plain_text(load, key, where, text);
	}
}
