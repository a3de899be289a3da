/*
 * indexes.c - reads postgres.indexes
 */
#include "worker/config/indexes.h"

#include <stdlib.h>
#include <string.h>

#include "db/migrate/ddl_domain.h"
#include "schemas/base/alloc.h"
#include "schemas/base/nearest.h"
#include "schemas/base/text.h"
#include "worker/config/list.h"
#include "worker/config/setting.h"
#include "worker/config/value.h"

static const char *const methods[] = { "btree", "hash", "gin", "gist", "spgist", "brin", NULL };

enum part_kind { PART_NAME, PART_TEXT, PART_METHOD, PART_SWITCH, PART_TEXTS, PART_STORAGE };

/* The members of one index's group. In a domain's list an index needs neither name nor table. */
static const struct part {
	const char *name;
	enum part_kind kind;
	bool required;
	size_t offset;
} parts[] = {
	{ "name", PART_NAME, true, offsetof(struct config_index, name) },
	{ "table", PART_NAME, true, offsetof(struct config_index, table) },
	{ "columns", PART_TEXTS, true, offsetof(struct config_index, columns) },
	{ "unique", PART_SWITCH, false, offsetof(struct config_index, unique) },
	{ "where", PART_TEXT, false, offsetof(struct config_index, where) },
	{ "method", PART_METHOD, false, offsetof(struct config_index, method) },
	{ "opclass", PART_TEXT, false, offsetof(struct config_index, opclass) },
	{ "storage", PART_STORAGE, false, offsetof(struct config_index, storage) },
	{ "tablespace", PART_TEXT, false, offsetof(struct config_index, tablespace) },
	{ "concurrent", PART_SWITCH, false, offsetof(struct config_index, concurrent) },
};

#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

static bool is_method(const char *text)
{
	for (size_t i = 0; methods[i]; i++)
		if (strcmp(methods[i], text) == 0)
			return true;
	return false;
}

/* Stores the part and returns NULL, or returns what is wrong with it. */
static const char *take_text(const struct part *part, void *member, const config_setting_t *setting)
{
	const char *text = config_setting_get_string(setting);
	static const char not_identifier[] = "must be a name of up to 63 letters, digits and _";

	if (!text || !*text)
		return "must be a non-empty text in quotes";
	if (part->kind == PART_NAME && !ddl_identifier_valid(text))
		return not_identifier;
	if (part->kind == PART_METHOD && !is_method(text))
		return "must be btree, hash, gin, gist, spgist or brin";
	*(char **)member = alloc_copy(text);
	return NULL;
}

/* Appends one parameter of the group `storage`. Returns what is wrong with it, or NULL. */
static const char *add_storage(struct buffer *text, const config_setting_t *setting)
{
	if (text->size)
		text_add(text, ", ");
	text_addf(text, "%s = ", config_setting_name(setting));
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		text_addf(text, "'%lld'", config_setting_get_int64(setting));
		return NULL;
	case CONFIG_TYPE_FLOAT:
		text_addf(text, "'%.15g'", config_setting_get_float(setting));
		return NULL;
	case CONFIG_TYPE_BOOL:
		text_add(text, config_setting_get_bool(setting) ? "'true'" : "'false'");
		return NULL;
	case CONFIG_TYPE_STRING:
		text_add_literal(text, config_setting_get_string(setting));
		return NULL;
	default:
		return "must hold numbers, texts, true or false";
	}
}

/* The parameters of the index's storage, as a group or as the text that stands in WITH (...). */
static const char *take_storage(void *member, const config_setting_t *setting)
{
	const char *given = config_setting_get_string(setting), *wrong = NULL;
	struct buffer text = { 0 };

	if (given)
		text_add(&text, given);
	else if (!config_setting_is_group(setting))
		wrong = "must be a group, { fillfactor = 70; }, or a text, \"fillfactor = 70\"";
	for (int i = 0; !given && !wrong && i < config_setting_length(setting); i++)
		wrong = add_storage(&text, config_setting_get_elem(setting, (unsigned)i));
	if (!wrong && text.size == 0)
		wrong = "must not be empty";
	if (!wrong)
		*(char **)member = alloc_copy(text_string(&text));
	buffer_free(&text);
	return wrong;
}

static const char *take_part(const struct part *part, struct config_index *index,
	const config_setting_t *setting)
{
	void *member = (char *)index + part->offset;

	switch (part->kind) {
	case PART_SWITCH:
		if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
			return "must be true or false";
		*(bool *)member = config_setting_get_bool(setting);
		return NULL;
	case PART_TEXTS:
		if (!config_setting_texts(setting, member) || index->columns.count == 0)
			return "must be a list of texts, [\"one\", \"two\"]";
		return NULL;
	case PART_STORAGE:
		return take_storage(member, setting);
	default:
		return take_text(part, member, setting);
	}
}

static void unknown_parts(struct config_load *load, const char *where, const char *path,
	const config_setting_t *group)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const char *name = config_setting_name(config_setting_get_elem(group, (unsigned)i));
		struct nearest nearest = { .wanted = name };

		for (size_t p = 0; p < PART_COUNT; p++)
			nearest_offer(&nearest, parts[p].name);
		if (nearest.found && strcmp(nearest.found, name) == 0)
			continue;
		config_mistake(load, where, path, "\"%s\" is not a member of an index; %s%s%s",
			name,
			nearest.found
				? "did you mean \""
				: "the members are name, table, columns, unique, where, method, opclass, "
				  "storage, tablespace, concurrent",
			nearest.found ? nearest.found : "", nearest.found ? "\"?" : "");
	}
}

/* Finds the table, and makes the name, of an index in a domain's list. */
static void complete_index(struct config_load *load, const char *where, const char *path,
	const char *domain, struct config_index *index)
{
	const char *const *columns = (const char *const *)index->columns.items;
	size_t count = index->columns.count;
	char *why = NULL;
	const char *table = index->table ? ddl_domain_table(domain, index->table, &why)
					 : ddl_domain_table_with(domain, columns, count, &why);

	if (!table) {
		config_mistake(load, where, path, "%s", why);
		free(why);
		return;
	}
	if (!index->table)
		index->table = alloc_copy(table);
	if (!index->name) {
		struct ddl_name name = ddl_domain_index_name(table, columns, count,
			index->method ? index->method : "btree");
		index->name = alloc_copy(name.text);
	}
}

/* `domain`: the domain whose list has the index, NULL for a list without domains. */
static void take_index(struct config_load *load, const char *where, const char *path,
	const char *domain, struct config_index *index, config_setting_t *group)
{
	size_t mistakes = load->mistakes;

	index->concurrent = true;
	for (size_t p = 0; p < PART_COUNT; p++) {
		const config_setting_t *setting = config_setting_get_member(group, parts[p].name);
		const char *wrong = NULL;

		if (setting)
			wrong = take_part(&parts[p], index, setting);
		else if (parts[p].required && !(domain && parts[p].kind == PART_NAME))
			wrong = "is missing";
		if (wrong)
			config_mistake(load, where, path, "%s %s", parts[p].name, wrong);
	}
	unknown_parts(load, where, path, group);
	if (domain && load->mistakes == mistakes)
		complete_index(load, where, path, domain, index);
}

/* The indexes of all lists so far. */
struct taken {
	struct config_index *items;
	size_t count;
};

static void take_list(struct config_load *load, const char *where, const char *path,
	const char *domain, struct taken *taken, const config_setting_t *list)
{
	size_t count = (size_t)config_setting_length(list);

	taken->items = alloc_grow(taken->items, taken->count + count + 1, sizeof(*taken->items));
	memset(taken->items + taken->count, 0, count * sizeof(*taken->items));
	for (size_t i = 0; i < count; i++) {
		config_setting_t *group = config_setting_get_elem(list, (unsigned)i);
		char *item = alloc_printf("%s[%zu]", path, i);

		if (config_setting_is_group(group))
			take_index(load, where, item, domain, &taken->items[taken->count], group);
		else
			config_mistake(load, where, item, "must be a group, { %scolumns = [...]; }",
				domain ? "" : "name = ...; table = ...; ");
		taken->count++;
		free(item);
	}
}

static bool domain_known(struct config_load *load, const char *where, const char *path,
	const char *name)
{
	struct nearest nearest = { .wanted = name };
	const char *domain;

	for (size_t i = 0; (domain = ddl_domain(i)); i++) {
		if (strcmp(domain, name) == 0)
			return true;
		nearest_offer(&nearest, domain);
	}
	config_mistake(load, where, path, "is not a domain that has tables%s%s%s",
		nearest.found ? "; did you mean " : "", nearest.found ? nearest.found : "",
		nearest.found ? "?" : "");
	return false;
}

/* The lists of a group, each named after its domain. */
static void take_domains(struct config_load *load, const struct config_key *key, const char *where,
	struct taken *taken, const config_setting_t *domains)
{
	for (int i = 0; i < config_setting_length(domains); i++) {
		const config_setting_t *list = config_setting_get_elem(domains, (unsigned)i);
		const char *domain = config_setting_name(list);
		char *path = alloc_printf("%s.%s", key->path, domain);

		if (!config_setting_is_sequence(list))
			config_mistake(load, where, path,
				"must be a list of groups, ( { columns = [...]; } )");
		else if (domain_known(load, where, path, domain))
			take_list(load, where, path, domain, taken, list);
		free(path);
	}
}

/* In a schema no two indexes have the same name. */
static void check_names(struct config_load *load, const struct config_key *key, const char *where,
	const struct taken *taken)
{
	for (size_t i = 0; i < taken->count; i++)
		for (size_t j = 0; j < i; j++)
			if (taken->items[i].name && taken->items[j].name &&
				strcmp(taken->items[i].name, taken->items[j].name) == 0)
				config_mistake(load, where, key->path,
					"two indexes have the name %s: give one of them another `name`",
					taken->items[i].name);
}

bool config_take_indexes(struct config_load *load, const struct config_key *key, const char *where,
	const config_setting_t *setting)
{
	struct taken taken = { 0 };

	if (config_setting_is_group(setting))
		take_domains(load, key, where, &taken, setting);
	else if (config_setting_is_sequence(setting))
		take_list(load, where, key->path, NULL, &taken, setting);
	else
		return false;
	check_names(load, key, where, &taken);
	config_set_indexes(load, key, where, taken.items, taken.count);
	return true;
}

void config_set_indexes_from_text(struct config_load *load, const struct config_key *key,
	const char *where, const char *text)
{
	char *file = alloc_printf("indexes = %s;", *text ? text : "()");
	const config_setting_t *setting = NULL;
	config_t parsed;

	config_init(&parsed);
	if (config_read_string(&parsed, file))
		setting = config_lookup(&parsed, "indexes");
	if (!setting || !config_take_indexes(load, key, where, setting))
		config_mistake(load, where, key->path,
			"is neither a list of groups, "
			"( { name = \"...\"; table = \"...\"; columns = [\"...\"]; } ), "
			"nor such lists by domain, { memory = ( { columns = [\"...\"]; } ); }");
	config_destroy(&parsed);
	free(file);
}
