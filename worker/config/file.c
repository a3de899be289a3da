/*
 * file.c - reads the configuration file with libconfig
 *
 * First it looks up every key of the table, then it goes through the file and reports unknown keys.
 */
#include "worker/config/file.h"

#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "schemas/base/alloc.h"
#include "schemas/base/nearest.h"
#include "worker/config/indexes.h"
#include "worker/config/keys.h"
#include "worker/config/setting.h"
#include "worker/config/value.h"

static const char *type_name(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		return "a group";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a whole number";
	case CONFIG_TYPE_FLOAT:
		return "a number with a decimal point";
	case CONFIG_TYPE_STRING:
		return "a text";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	default:
		return "a list";
	}
}

static const char *const wanted_names[] = {
	[CONFIG_TEXT] = "a text in quotes",
	[CONFIG_INTEGER] = "a whole number",
	[CONFIG_SWITCH] = "true or false",
	[CONFIG_CHOICE] = "a text in quotes",
	[CONFIG_ENUM] = "a text in quotes",
	[CONFIG_TEXTS] = "a list of texts, [\"one\", \"two\"]",
	[CONFIG_INDEXES] = ("a list of groups, ( { name = ...; table = ...; columns = [...]; } ), "
			    "or such lists by domain, { memory = ( { columns = [...]; } ); }"),
	[CONFIG_SECRET_FILE] = "a file name in quotes",
	[CONFIG_TEXTS_FILE] = "a file name in quotes",
};

/* Returns "FILE:LINE", which the caller frees. */
static char *config_file_place(const config_setting_t *setting, const char *path)
{
	const char *file = config_setting_source_file(setting);

	return alloc_printf("%s:%u", file ? file : path, config_setting_source_line(setting));
}

/* Returns line `number` of a file, which the caller frees; NULL if it can't be read. */
static char *source_line(const char *path, unsigned number)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	bool found = file != NULL;

	for (unsigned i = 0; found && i < number; i++)
		found = getline(&line, &size, file) >= 0;
	if (file)
		fclose(file);
	if (found)
		return line;
	free(line);
	return NULL;
}

/* libconfig 1.5 accepts a number of more than 32 bits without L and drops the upper half. Compares
 * the number with the file's text. */
static bool was_cut(const config_setting_t *setting, const char *path)
{
	const char *file = config_setting_source_file(setting);
	char *line = source_line(file ? file : path, config_setting_source_line(setting));
	const char *at = line ? strstr(line, config_setting_name(setting)) : NULL;
	bool cut = false;

	if (at) {
		at += strlen(config_setting_name(setting));
		at += strspn(at, " \t=:");
		errno = 0;
		cut = strtoll(at, NULL, 0) != config_setting_get_int(setting) || errno == ERANGE;
	}
	free(line);
	return cut;
}

static void take_integer(struct config_load *load, const struct config_key *key, const char *where,
	const config_setting_t *setting, const char *path)
{
	if (config_setting_type(setting) == CONFIG_TYPE_INT && was_cut(setting, path))
		config_mistake(load, where, key->path,
			"a number above 2147483647 needs the suffix L: 4294967296L");
	else
		config_set_integer(load, key, where, config_setting_get_int64(setting));
}

/* Returns false if the setting is not of the key's type. */
static bool take_scalar(struct config_load *load, const struct config_key *key, const char *where,
	const config_setting_t *setting, const char *path)
{
	int type = config_setting_type(setting);

	if (key->kind == CONFIG_INTEGER && (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64))
		take_integer(load, key, where, setting, path);
	else if (key->kind == CONFIG_SWITCH && type == CONFIG_TYPE_BOOL)
		config_set_switch(load, key, where, config_setting_get_bool(setting));
	else if (key->kind == CONFIG_CHOICE && type == CONFIG_TYPE_BOOL)
		config_set_text(load, key, where,
			config_setting_get_bool(setting) ? "true" : "false");
	else if (key->kind != CONFIG_INTEGER && key->kind != CONFIG_SWITCH &&
		type == CONFIG_TYPE_STRING)
		config_set_text(load, key, where, config_setting_get_string(setting));
	else
		return false;
	return true;
}

static bool config_file_take(struct config_load *load, const struct config_key *key,
	const char *where, const config_setting_t *setting, const char *path)
{
	struct config_list list = { 0 };

	if (key->kind == CONFIG_INDEXES)
		return config_take_indexes(load, key, where, setting);
	if (key->group && config_setting_is_group(setting)) {
		load->ssl_group = true;
		config_set_text(load, key, where, key->group);
		return true;
	}
	if (key->kind != CONFIG_TEXTS)
		return take_scalar(load, key, where, setting, path);
	if (!config_setting_texts(setting, &list))
		return false;
	config_set_texts(load, key, where, list);
	return true;
}

static void take_known(struct config_load *load, const config_t *file, const char *path)
{
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		const config_setting_t *setting = config_lookup(file, key->path);
		char *where;

		if (!setting)
			continue;
		where = config_file_place(setting, path);
		if (!config_file_take(load, key, where, setting, path))
			config_mistake(load, where, key->path, "is %s, it must be %s",
				type_name(setting), wanted_names[key->kind]);
		free(where);
	}
}

static bool config_file_is_group(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < config_key_count; i++)
		if (strncmp(config_keys[i].path, name, len) == 0 && config_keys[i].path[len] == '.')
			return true;
	return false;
}

/* Prefers the nearest key of the same group, then of all keys, then a key of another group with a
 * similar last name. */
static const char *nearest_key(const char *path, const char *name)
{
	struct nearest sibling = { .wanted = name }, whole = { .wanted = path },
		       anywhere = { .wanted = name };
	size_t group = (size_t)(name - path);

	for (size_t i = 0; i < config_key_count; i++) {
		const char *key = config_keys[i].path;

		if (strncmp(key, path, group) == 0)
			nearest_offer_as(&sibling, key + group, key);
		nearest_offer(&whole, key);
		nearest_offer_as(&anywhere, strchr(key, '.') + 1, key);
	}
	return sibling.found ? sibling.found : whole.found ? whole.found : anywhere.found;
}

static void config_file_unknown(struct config_load *load, const config_setting_t *setting,
	const char *path, const char *file)
{
	const char *dot = strchr(path, '.');
	const char *key = nearest_key(path, dot ? dot + 1 : path);
	char *where = config_file_place(setting, file);

	if (key)
		config_mistake(load, where, path, "is not a key; did you mean %s?", key);
	else
		config_mistake(load, where, path,
			"is not a key; `stowage config --reference` lists all keys");
	free(where);
}

static void unknown_group(struct config_load *load, const config_setting_t *setting,
	const char *file)
{
	const char *name = config_setting_name(setting);
	struct nearest nearest = { .wanted = name };
	char groups[CONFIG_KEYS_MAX][CONFIG_NAME_MAX];
	char *where = config_file_place(setting, file);

	for (size_t i = 0; i < config_key_count; i++) {
		snprintf(groups[i], sizeof(groups[i]), "%.*s",
			(int)strcspn(config_keys[i].path, "."), config_keys[i].path);
		nearest_offer(&nearest, groups[i]);
	}
	config_mistake(load, where, name, "is not a group of keys%s%s%s",
		nearest.found ? "; did you mean " : "; `stowage config --reference` lists all keys",
		nearest.found ? nearest.found : "", nearest.found ? "?" : "");
	free(where);
}

/* Reports the members of a group that are not keys. `prefix` is the group's path. */
static void find_unknown_in(struct config_load *load, const config_setting_t *group,
	const char *prefix, const char *file)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		char *path = alloc_printf("%s.%s", prefix, config_setting_name(setting));
		const struct config_key *key = config_key_find(path);

		bool inner = key ? key->group != NULL : config_file_is_group(path);

		if (inner && config_setting_is_group(setting))
			find_unknown_in(load, setting, path, file);
		else if (!key)
			config_file_unknown(load, setting, path, file);
		free(path);
	}
}

static void config_file_find_unknown(struct config_load *load, const config_t *file,
	const char *path)
{
	const config_setting_t *root = config_root_setting(file);

	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
		const char *name = config_setting_name(setting);

		if (config_setting_is_group(setting) && config_file_is_group(name)) {
			find_unknown_in(load, setting, name, path);
		} else if (config_setting_is_group(setting)) {
			unknown_group(load, setting, path);
		} else if (config_file_is_group(name)) {
			char *where = config_file_place(setting, path);

			config_mistake(load, where, name, "is %s, it must be a group: %s: { ... };",
				type_name(setting), name);
			free(where);
		} else {
			config_file_unknown(load, setting, name, path);
		}
	}
}

static void parse_mistake(struct config_load *load, const config_t *file, const char *path)
{
	const char *name = config_error_file(file) ? config_error_file(file) : path;
	char *where;

	if (config_error_type(file) != CONFIG_ERR_PARSE) {
		config_mistake(load, path, NULL, "cannot be read: %s", strerror(errno));
		return;
	}
	where = alloc_printf("%s:%d", name, config_error_line(file));
	config_mistake(load, where, NULL,
		"%s (here or on the line before: a text needs double quotes, "
		"a setting ends with a semicolon)",
		config_error_text(file));
	free(where);
}

void config_read_path(struct config_load *load, const char *path)
{
	struct stat stat_of;
	config_t file;

	load->source = CONFIG_FROM_FILE;
	/* libconfig's scanner ends the process when the path is a directory. */
	if (stat(path, &stat_of) == 0 && S_ISDIR(stat_of.st_mode)) {
		config_mistake(load, path, NULL, "is a directory, not a file");
		return;
	}
	config_init(&file);
	if (config_read_file(&file, path)) {
		take_known(load, &file, path);
		config_file_find_unknown(load, &file, path);
	} else {
		parse_mistake(load, &file, path);
	}
	config_destroy(&file);
}
