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

static bool write_schema(const struct writer *w, const char *name,
	const struct catalog_schema *schema)
{
	json_t *json = json_loads(schema->text, 0,
		NULL); /* never NULL: the schema was compiled before */
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

static void add_names(json_t *entry, const char *key, const char *const *names, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count && names[i]; i++)
		json_array_append_new(list, json_string(names[i]));
	json_object_set_new(entry, key, list);
}

static void add_parameters(json_t *entry, const struct type *request)
{
	json_t *list = json_array();
	for (size_t i = 0; i < request->field_count; i++)
		json_array_append_new(list, json_string(request->fields[i].name));
	json_object_set_new(entry, "parameters", list);
}

static void add_note(json_t *entry, const struct schema_note *note,
	const struct catalog_schema *request)
{
	json_object_set_new(entry, "topic", json_string(note->topic));
	add_names(entry, "flags", note->flags, sizeof(note->flags) / sizeof(note->flags[0]));
	if (*note->key)
		json_object_set_new(entry, "key", json_string(note->key));
	if (note->positional)
		add_parameters(entry, request->type);
}

/* Writes the two files of a command and adds an entry to the index. */
static bool write_command(const struct writer *w, const struct catalog *catalog, int command,
	const struct schema_note *note, json_t *index)
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
	add_note(entry, note, request);
	json_array_append_new(index, entry);
	int size = snprintf(folder, sizeof(folder), "%s/%.*s", w->directory,
		(int)strcspn(name, "."), name);
	if (size >= (int)sizeof(folder)) {
		errno = ENAMETOOLONG;
		return schema_output_fail(w, w->directory);
	}
	return make_folders(w, folder) && write_schema(w, request_file, request) &&
		write_schema(w, reply_file, reply);
}

bool schemas_write(const char *directory, const struct catalog *catalog,
	const struct schema_note *notes, char *error, size_t error_size)
{
	struct writer w = { directory, error, error_size };
	json_t *index = json_array();
	bool ok = make_folders(&w, directory);
	for (size_t i = 0; ok && i < schema_count; i++)
		ok = write_command(&w, catalog, (int)i, &notes[i], index);
	ok = ok && write_schema(&w, "Error.avsc", catalog_error(catalog)) &&
		write_json(&w, "index.json", index);
	json_decref(index);
	return ok;
}
