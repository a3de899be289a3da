/*
 * folder.c - reads the schema files of a folder
 */
#include "schemas/catalog/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/buffer.h"

#define SUFFIX ".avsc"

static int is_schema(const struct dirent *entry)
{
	size_t size = strlen(entry->d_name);
	return size > strlen(SUFFIX) && strcmp(entry->d_name + size - strlen(SUFFIX), SUFFIX) == 0;
}

/* Reads the whole file into `text`. Returns NULL, or the problem. */
static const char *read_all(FILE *file, struct buffer *text)
{
	char chunk[4096];
	size_t size;
	while (!text->failed && (size = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buffer_add(text, chunk, size);
	if (ferror(file))
		return strerror(errno);
	return text->failed ? "is too large for a schema" : NULL;
}

static bool read_file(const char *path, folder_fn *each, void *arg, char *error, size_t error_size)
{
	struct buffer text = buffer_empty(FOLDER_FILE_MAXIMUM);
	FILE *file = fopen(path, "rbe");
	const char *problem = file ? read_all(file, &text) : strerror(errno);
	bool ok = !problem;
	if (problem)
		snprintf(error, error_size, "%s: %s", path, problem);
	else
		ok = each(arg, path, (const char *)text.data, text.size);
	if (file)
		fclose(file);
	buffer_free(&text);
	return ok;
}

bool folder_read(const char *directory, folder_fn *each, void *arg, char *error, size_t error_size)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_schema, alphasort);
	if (count < 0) {
		snprintf(error, error_size, "%s: %s", directory, strerror(errno));
		return false;
	}
	bool ok = true;
	for (int i = 0; i < count; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		ok = ok && read_file(path, each, arg, error, error_size);
		free(entries[i]);
	}
	free(entries);
	return ok;
}
