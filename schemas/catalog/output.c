/*
 * output.c - writes the schemas to files, for clients
 */
#include "schemas/catalog/output.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "schemas/catalog/asyncapi.h"
#include "schemas/catalog/schema_table.h"

#define PATH_SIZE 4096

struct writer {
	const char *directory;
	char *error;
	size_t error_size;
};

static bool schema_output_fail(const struct writer *w, const char *path)
{
	snprintf(w->error, w->error_size, "%s: %s", path, strerror(errno ? errno : EIO));
	return false;
}

/* Creates the folder and the folders above it. */
static bool make_folders(const struct writer *w, const char *path)
{
	char part[PATH_SIZE];
	size_t size = strlen(path);
	if (size >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return schema_output_fail(w, path);
	}
	for (size_t i = 1; i <= size; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0777) != 0 && errno != EEXIST)
			return schema_output_fail(w, part);
	}
	return true;
}

/* Writes indented JSON and a line end. `name` is relative to the directory. */
static bool write_json(const struct writer *w, const char *name, const json_t *json)
{
	char path[PATH_SIZE];
	errno = 0;
	if (snprintf(path, sizeof(path), "%s/%s", w->directory, name) >= PATH_SIZE)
		errno = ENAMETOOLONG;
	FILE *file = errno ? NULL : fopen(path, "we");
	if (!file)
		return schema_output_fail(w, path);
	bool ok = json_dumpf(json, file, JSON_INDENT(2)) == 0 && fputc('\n', file) != EOF;
	if (fclose(file) != 0)
		ok = false;
	return ok || schema_output_fail(w, path);
}

/* `text`: JSON of the schema table. */
static bool write_schema(const struct writer *w, const char *name, const char *text)
{
	json_t *json = json_loads(text, 0, NULL); /* never NULL: the build made the text */
	bool ok = write_json(w, name, json);
	json_decref(json);
	return ok;
}

/* Makes the name of a command's file: "memory.saveThread" becomes "memory/SaveThread" with the
 * suffix. */
static void file_name(char *name, size_t size, const char *command, const char *suffix)
{
	int domain = (int)strcspn(command, ".");
	const char *method = command + domain + 1;
	snprintf(name, size, "%.*s/%c%s%s", domain, command, toupper((unsigned char)*method),
		method + 1, suffix);
}

static void add_fingerprint(json_t *entry, const char *key, uint64_t fingerprint)
{
	json_object_set_new(entry, key, json_sprintf("%016" PRIx64, fingerprint));
}

/* Adds to the entry's error codes the ones that every command may answer with. */
static void add_general(json_t *entry, json_t *general)
{
	json_t *errors = json_object_get(entry, "errors");
	const char *code;
	json_t *meaning;
	json_object_foreach(general, code, meaning)
		json_array_append_new(errors, json_string(code));
}

/* Writes the two files of a command and adds an entry to the index. */
static bool write_command(const struct writer *w, const struct catalog *catalog, int command,
	json_t *general, json_t *index)
{
	const struct catalog_schema *request = catalog_request(catalog, command);
	const struct catalog_schema *reply = catalog_reply(catalog, command);
	const char *name = schema_defs[command].command;
	char request_file[PATH_SIZE], reply_file[PATH_SIZE], folder[PATH_SIZE];
	file_name(request_file, sizeof(request_file), name, ".avsc");
	file_name(reply_file, sizeof(reply_file), name, "Reply.avsc");
	json_t *entry = json_pack("{s:s, s:s, s:s}", "command", name, "request", request_file,
		"reply", reply_file);
	add_fingerprint(entry, "requestFingerprint", request->fingerprint);
	add_fingerprint(entry, "replyFingerprint", reply->fingerprint);
	json_object_update_new(entry, json_loads(schema_defs[command].entry, 0, NULL));
	add_general(entry, general);
	json_array_append_new(index, entry);
	int size = snprintf(folder, sizeof(folder), "%s/%.*s", w->directory,
		(int)strcspn(name, "."), name);
	if (size >= (int)sizeof(folder)) {
		errno = ENAMETOOLONG;
		return schema_output_fail(w, w->directory);
	}
	return make_folders(w, folder) && write_schema(w, request_file, request->text) &&
		write_schema(w, reply_file, reply->text);
}

/* The attribute `general` of the error's field `code`; borrowed. */
static json_t *general_codes(const json_t *error)
{
	json_t *code = json_array_get(json_object_get(error, "fields"), 0);
	return json_object_get(code, "general");
}

bool schemas_write(const char *directory, const struct catalog *catalog, char *error,
	size_t error_size)
{
	struct writer w = { directory, error, error_size };
	json_t *index = json_array(), *error_schema = json_loads(schema_error, 0, NULL);
	bool ok = make_folders(&w, directory);
	for (size_t i = 0; ok && i < schema_count; i++)
		ok = write_command(&w, catalog, (int)i, general_codes(error_schema), index);
	ok = ok && write_json(&w, "Error.avsc", error_schema) &&
		write_schema(&w, "store.json", schema_store) && write_json(&w, "index.json", index);
	json_t *document = ok ? asyncapi_new(index) : NULL;
	ok = ok && write_json(&w, "asyncapi.json", document);
	json_decref(document);
	json_decref(error_schema);
	json_decref(index);
	return ok;
}
