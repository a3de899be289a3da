/*
 * catalog.c - all compiled schemas: of the commands, and of the writers of commands
 */
#include "schemas/catalog/catalog.h"

#include <avro.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/avro/canonical.h"
#include "schemas/base/alloc.h"
#include "schemas/base/arena.h"
#include "schemas/catalog/folder.h"
#include "schemas/catalog/schema_table.h"

#define ROOT "mastra."
#define FIRST_SLOTS 64

struct catalog {
	struct arena *arena; /* types and plans */
	struct catalog_schema *requests;
	struct catalog_schema *replies;
	struct catalog_schema error;
	struct catalog_writer *slots; /* hash table by fingerprint; a slot without a plan is free */
	size_t slot_count;            /* a power of two */
	size_t writer_count;
};

/* A catalog that catalog_new() is loading. */
struct loader {
	struct catalog *catalog;
	char *error;
	size_t error_size;
};

__attribute__((format(printf, 3, 4))) static bool catalog_refuse(struct loader *l, const char *name,
	const char *format, ...)
{
	char reason[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	snprintf(l->error, l->error_size, "schema %s: %s", name, reason);
	return false;
}

/* Other programs read the schemas with Avro libraries, so avro-c must accept them, too. */
static bool accepted_by_avro_c(struct loader *l, const char *name, const char *text, size_t size)
{
	avro_schema_t schema;
	if (avro_schema_from_json_length(text, size, &schema) != 0)
		return catalog_refuse(l, name, "avro-c rejects it: %s", avro_strerror());
	avro_schema_decref(schema);
	return true;
}

static bool catalog_compile(struct loader *l, const char *name, const char *text, size_t size,
	struct catalog_schema *schema)
{
	char reason[400];
	schema->text = text;
	schema->type = type_compile(l->catalog->arena, text, size, reason, sizeof(reason));
	if (!schema->type)
		return catalog_refuse(l, name, "%s", reason);
	if (!canonical_fingerprint(&schema->fingerprint, text, size, reason, sizeof(reason)))
		return catalog_refuse(l, name, "%s", reason);
	schema->plan = plan_new(l->catalog->arena, schema->type, schema->type, reason,
		sizeof(reason));
	if (!schema->plan)
		return catalog_refuse(l, name, "%s", reason);
	return accepted_by_avro_c(l, name, text, size);
}

/* Returns the slot that has the fingerprint, or the free slot for it. */
static struct catalog_writer *catalog_slot(const struct catalog *catalog, uint64_t fingerprint)
{
	size_t mask = catalog->slot_count - 1, at = fingerprint & mask;
	while (catalog->slots[at].plan && catalog->slots[at].fingerprint != fingerprint)
		at = (at + 1) & mask;
	return &catalog->slots[at];
}

static void catalog_resize(struct catalog *catalog, size_t slot_count)
{
	struct catalog_writer *old = catalog->slots;
	size_t old_count = catalog->slot_count, size = allocate_product(slot_count, sizeof(*old));
	catalog->slots = memset(allocate(size), 0, size);
	catalog->slot_count = slot_count;
	for (size_t i = 0; i < old_count; i++)
		if (old[i].plan)
			*catalog_slot(catalog, old[i].fingerprint) = old[i];
	free(old);
}

/* If the fingerprint is known, keeps the first writer: the folder may have copies of schemas. */
static void add_writer(struct catalog *catalog, uint64_t fingerprint, int command,
	const struct plan *plan)
{
	if (2 * catalog->writer_count >= catalog->slot_count)
		catalog_resize(catalog, 2 * catalog->slot_count);
	struct catalog_writer *free_slot = catalog_slot(catalog, fingerprint);
	if (free_slot->plan)
		return;
	*free_slot = (struct catalog_writer){ fingerprint, command, plan };
	catalog->writer_count++;
}

/* Returns the index of "memory.saveThread" for "mastra.memory.SaveThread"; -1 if there is no such
 * command. */
static int command_of_record(const char *full)
{
	char name[256];
	size_t prefix = strlen(ROOT), size = strlen(full);
	const char *dot = strrchr(full, '.');
	if (size - prefix >= sizeof(name) || strncmp(full, ROOT, prefix) != 0 ||
		dot < full + prefix)
		return -1;
	size_t method = (size_t)(dot - full) + 1 - prefix;
	memcpy(name, full + prefix, size - prefix + 1);
	if (!isupper((unsigned char)name[method]))
		return -1;
	name[method] = (char)tolower((unsigned char)name[method]);
	return catalog_command(name, strlen(name));
}

/* Adds a schema of an earlier release or of the configured folder. */
static bool add_other(struct loader *l, const char *name, const char *text, size_t size)
{
	struct catalog *catalog = l->catalog;
	struct catalog_schema schema;
	char reason[400];
	if (!catalog_compile(l, name, text, size, &schema))
		return false;
	int command = schema.type->name ? command_of_record(schema.type->name) : -1;
	if (command < 0)
		return catalog_refuse(l, name, "%s is not the record of a command",
			schema.type->name ? schema.type->name : type_kind_name(schema.type->kind));
	const struct plan *plan = plan_new(catalog->arena, schema.type,
		catalog->requests[command].type, reason, sizeof(reason));
	if (!plan)
		return catalog_refuse(l, name, "can't be read: %s", reason);
	add_writer(catalog, schema.fingerprint, command, plan);
	return true;
}

static bool catalog_add_file(void *arg, const char *path, const char *text, size_t size)
{
	return add_other(arg, path, text, size);
}

static bool add_commands(struct loader *l)
{
	struct catalog *catalog = l->catalog;
	for (size_t i = 0; i < schema_count; i++) {
		const struct schema_def *def = &schema_defs[i];
		struct catalog_schema *request = &catalog->requests[i];
		if (!catalog_compile(l, def->command, def->request, strlen(def->request),
			    request) ||
			!catalog_compile(l, def->command, def->reply, strlen(def->reply),
				&catalog->replies[i]))
			return false;
		add_writer(catalog, request->fingerprint, (int)i, request->plan);
	}
	return catalog_compile(l, "mastra.Error", schema_error, strlen(schema_error),
		&catalog->error);
}

static bool catalog_load(struct loader *l, const char *directory)
{
	if (!add_commands(l))
		return false;
	for (size_t i = 0; i < history_count; i++)
		if (!add_other(l, history_defs[i].name, history_defs[i].text,
			    strlen(history_defs[i].text)))
			return false;
	return !directory || folder_read(directory, catalog_add_file, l, l->error, l->error_size);
}

struct catalog *catalog_new(const char *directory, char *error, size_t error_size)
{
	struct catalog *catalog = allocate(sizeof(*catalog));
	*catalog = (struct catalog){ .arena = arena_new(0) };
	catalog->requests = arena_calloc(catalog->arena, schema_count, sizeof(*catalog->requests));
	catalog->replies = arena_calloc(catalog->arena, schema_count, sizeof(*catalog->replies));
	catalog_resize(catalog, FIRST_SLOTS);
	struct loader loader = { catalog, error, error_size };
	if (catalog_load(&loader, directory))
		return catalog;
	catalog_free(catalog);
	return NULL;
}

void catalog_free(struct catalog *catalog)
{
	if (!catalog)
		return;
	arena_free(catalog->arena);
	free(catalog->slots);
	free(catalog);
}

int catalog_command(const char *name, size_t size)
{
	size_t low = 0, high = schema_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *found = schema_defs[middle].command;
		int order = strncmp(name, found, size);
		if (order == 0 && strlen(found) == size)
			return (int)middle;
		if (order > 0)
			low = middle + 1;
		else
			high = middle; /* also if the name is a prefix of the name found */
	}
	return -1;
}

const struct catalog_writer *catalog_find(const struct catalog *catalog, uint64_t fingerprint)
{
	const struct catalog_writer *found = catalog_slot(catalog, fingerprint);
	return found->plan ? found : NULL;
}

const struct catalog_writer *catalog_find_framed(const struct catalog *catalog,
	const struct framing *framing)
{
	return framing->kind == FRAMING_SINGLE_OBJECT ? catalog_find(catalog, framing->fingerprint)
						      : NULL;
}

bool catalog_wrote(const struct catalog_schema *schema, const struct framing *framing)
{
	return framing->kind == FRAMING_SINGLE_OBJECT &&
		framing->fingerprint == schema->fingerprint;
}

const struct catalog_schema *catalog_request(const struct catalog *catalog, int command)
{
	return &catalog->requests[command];
}

const struct catalog_schema *catalog_reply(const struct catalog *catalog, int command)
{
	return &catalog->replies[command];
}

const struct catalog_schema *catalog_error(const struct catalog *catalog)
{
	return &catalog->error;
}
