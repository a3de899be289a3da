/*
 * catalog.c - tests of schemas/catalog: catalog.c, folder.c and output.c
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schemas/avro/canonical.h"
#include "schemas/avro/decode.h"
#include "schemas/catalog/catalog.h"
#include "schemas/catalog/output.h"
#include "schemas/catalog/schema_table.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define PATH_SIZE 4096

static struct catalog *catalog;
static char error[1024];
static char folder[64];

static void set_up(void)
{
	snprintf(folder, sizeof(folder), "%s", "/tmp/stowage-catalog.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	catalog = catalog_new(NULL, error, sizeof(error));
	cr_assert_not_null(catalog, "%s", error);
}

static void tear_down(void)
{
	char command[128];
	catalog_free(catalog);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(catalog, .init = set_up, .fini = tear_down);

static void write_file(const char *name, const char *text)
{
	char path[PATH_SIZE];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static int command_of(const char *name)
{
	return catalog_command(name, strlen(name));
}

Test(catalog, names)
{
	for (size_t i = 0; i < schema_count; i++)
		cr_assert_eq(command_of(schema_defs[i].command), (int)i);
	static const char *const unknown[] = { "", "memory", "memory.", "memory.saveThrea",
		"memory.saveThreads", "memory.SaveThread", "zzz.zzz", "a" };
	for (size_t i = 0; i < COUNT(unknown); i++)
		cr_expect_eq(command_of(unknown[i]), -1, "%s", unknown[i]);
	cr_assert_eq(catalog_command("memory.saveThread\0x", 19), -1);
	cr_assert_eq(catalog_command("memory.saveThreadxyz", 17), command_of("memory.saveThread"));
}

Test(catalog, writers)
{
	for (size_t i = 0; i < schema_count; i++) {
		const struct catalog_schema *request = catalog_request(catalog, (int)i);
		const struct catalog_writer *writer = catalog_find(catalog, request->fingerprint);
		cr_assert_not_null(writer);
		cr_assert_eq(writer->command, (int)i);
		cr_assert_null(catalog_find(catalog, catalog_reply(catalog, (int)i)->fingerprint));
		cr_assert_str_eq(catalog_reply(catalog, (int)i)->type->fields[0].name, "result");
	}
	cr_assert_null(catalog_find(catalog, 0));
	cr_assert_null(catalog_find(catalog, UINT64_MAX));
	cr_assert_str_eq(catalog_error(catalog)->type->name, "mastra.Error");
}

static const char older[] =
	"{\"type\":\"record\",\"name\":\"GetThreadById\",\"namespace\":\"mastra.memory\",\"fields\":["
	"{\"name\":\"extra\",\"type\":[\"null\",\"int\"]},{\"name\":\"threadId\",\"type\":\"string\"}]}";

Test(catalog, writers_of_a_folder)
{
	static const struct decode_limits limits = { 1000, 1000, 10, 10, 10 };
	struct arena *arena = arena_new(0);
	struct decode_error problem;
	struct datum datum;
	uint64_t fingerprint;
	write_file("older.avsc", older);
	write_file("same.avsc", catalog_request(catalog, 0)->text);
	write_file("notes.txt", "not a schema");
	struct catalog *wider = catalog_new(folder, error, sizeof(error));
	cr_assert_not_null(wider, "%s", error);
	cr_assert(canonical_fingerprint(&fingerprint, older, strlen(older), error, sizeof(error)));
	cr_assert_null(catalog_find(catalog, fingerprint));
	const struct catalog_writer *writer = catalog_find(wider, fingerprint);
	cr_assert_not_null(writer);
	cr_assert_eq(writer->command, command_of("memory.getThreadById"));
	cr_assert(decode(writer->plan, "\x02\x06\x06t-1", 6, &limits, arena, &datum, &problem),
		"%s", problem.message);
	const struct type *type = catalog_request(wider, writer->command)->type;
	cr_assert_arr_eq(datum.items[type_field_index(type, "threadId", 8)].text, "t-1", 3);
	cr_assert(datum_is_null(&datum.items[type_field_index(type, "resourceId", 10)]));
	catalog_free(wider);
	arena_free(arena);
}

/* More writers than the first table of slots can hold. */
Test(catalog, many_writers)
{
	uint64_t fingerprints[300];
	for (size_t i = 0; i < COUNT(fingerprints); i++) {
		char name[32], schema[512];
		snprintf(name, sizeof(name), "%zu.avsc", i);
		snprintf(schema, sizeof(schema),
			"{\"type\":\"record\",\"name\":\"mastra.memory.GetThreadById\",\"fields\":["
			"{\"name\":\"threadId\",\"type\":\"string\"},{\"name\":\"extra%zu\",\"type\":\"int\"}]}",
			i);
		write_file(name, schema);
		cr_assert(canonical_fingerprint(&fingerprints[i], schema, strlen(schema), error,
			sizeof(error)));
	}
	struct catalog *wider = catalog_new(folder, error, sizeof(error));
	cr_assert_not_null(wider, "%s", error);
	for (size_t i = 0; i < COUNT(fingerprints); i++) {
		const struct catalog_writer *writer = catalog_find(wider, fingerprints[i]);
		cr_assert_not_null(writer, "%zu", i);
		cr_assert_eq(writer->fingerprint, fingerprints[i]);
	}
	catalog_free(wider);
}

static const struct {
	const char *schema;
	const char *reason;
} wrong[] = {
	{ "", "not JSON" },
	{ "{", "not JSON, line 1" },
	{ "\"string\"", "string is not the record of a command" },
	{ "{\"type\":\"record\",\"name\":\"SaveThread\",\"fields\":[]}",
		"SaveThread is not the record of a command" },
	{ "{\"type\":\"record\",\"name\":\"mastra.memory.Nothing\",\"fields\":[]}",
		"mastra.memory.Nothing is not the record" },
	{ "{\"type\":\"record\",\"name\":\"mastra.memory.saveThread\",\"fields\":[]}",
		"is not the record" },
	{ "{\"type\":\"record\",\"name\":\"mastra.Error\",\"fields\":[]}",
		"mastra.Error is not the record" },
	{ "{\"type\":\"record\",\"name\":\"mastra.memory.SaveThread\",\"fields\":[]}",
		"can't be read: field thread is not in the writer's mastra.memory.SaveThread and has no default" },
	{ "{\"type\":\"record\",\"name\":\"mastra.memory.SaveThread\",\"fields\":[{\"name\":\"thread\",\"type\":\"int\"}]}",
		"can't be read: thread: int can't be read as record" },
};

Test(catalog, wrong_files)
{
	for (size_t i = 0; i < COUNT(wrong); i++) {
		write_file("wrong.avsc", wrong[i].schema);
		cr_assert_null(catalog_new(folder, error, sizeof(error)), "%s", wrong[i].schema);
		cr_expect_not_null(strstr(error, "/wrong.avsc: "), "%s", error);
		cr_expect_not_null(strstr(error, wrong[i].reason), "%s", error);
	}
}

Test(catalog, missing_folder)
{
	cr_assert_null(catalog_new("/nowhere/at/all", error, sizeof(error)));
	cr_assert_str_eq(error, "/nowhere/at/all: No such file or directory");
	char path[PATH_SIZE];
	snprintf(path, sizeof(path), "%s/dir.avsc", folder);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_null(catalog_new(folder, error, sizeof(error)));
	cr_assert_not_null(strstr(error, "dir.avsc: Is a directory"), "%s", error);
}

/* Checks that the file has the schema, with the fingerprint that index.json has. */
static void check_output(const char *directory, const json_t *entry, const char *file_key,
	const char *fingerprint_key, const struct catalog_schema *schema)
{
	char path[PATH_SIZE], expected[17];
	uint64_t fingerprint;
	snprintf(path, sizeof(path), "%s/%s", directory,
		json_string_value(json_object_get(entry, file_key)));
	json_t *json = json_load_file(path, 0, NULL);
	cr_assert_not_null(json, "%s", path);
	char *text = json_dumps(json, JSON_COMPACT);
	cr_assert(canonical_fingerprint(&fingerprint, text, strlen(text), error, sizeof(error)),
		"%s", error);
	cr_assert_eq(fingerprint, schema->fingerprint);
	snprintf(expected, sizeof(expected), "%016" PRIx64, fingerprint);
	cr_assert_str_eq(json_string_value(json_object_get(entry, fingerprint_key)), expected);
	free(text);
	json_decref(json);
}

static bool has_text(const json_t *list, const char *text)
{
	size_t i;
	const json_t *item;
	json_array_foreach(list, i, item)
		if (strcmp(json_string_value(item), text) == 0)
			return true;
	return false;
}

Test(catalog, output)
{
	char directory[PATH_SIZE], path[PATH_SIZE + 32];
	snprintf(directory, sizeof(directory), "%s/a/b", folder);
	for (int twice = 0; twice < 2; twice++)
		cr_assert(schemas_write(directory, catalog, error, sizeof(error)), "%s", error);
	snprintf(path, sizeof(path), "%s/index.json", directory);
	json_t *index = json_load_file(path, 0, NULL);
	cr_assert_eq(json_array_size(index), schema_count);
	for (size_t i = 0; i < schema_count; i++) {
		const json_t *entry = json_array_get(index, i);
		cr_assert_str_eq(json_string_value(json_object_get(entry, "command")),
			schema_defs[i].command);
		cr_assert(has_text(json_object_get(entry, "flags"), "read") !=
			has_text(json_object_get(entry, "flags"), "write"));
		cr_assert(has_text(json_object_get(entry, "errors"), "DEADLINE_PASSED"));
		check_output(directory, entry, "request", "requestFingerprint",
			catalog_request(catalog, (int)i));
		check_output(directory, entry, "reply", "replyFingerprint",
			catalog_reply(catalog, (int)i));
	}
	json_decref(index);
	snprintf(path, sizeof(path), "%s/Error.avsc", directory);
	cr_assert_eq(access(path, R_OK), 0);
	snprintf(path, sizeof(path), "%s/memory/SaveThreadReply.avsc", directory);
	cr_assert_eq(access(path, R_OK), 0);
}

Test(catalog, output_fails)
{
	write_file("file", "");
	char path[PATH_SIZE];
	snprintf(path, sizeof(path), "%s/file", folder);
	cr_assert_not(schemas_write(path, catalog, error, sizeof(error)));
	cr_assert_not_null(strstr(error, "/file"), "%s", error);
	cr_assert_not_null(strstr(error, "Not a directory"), "%s", error);
}
