/*
 * folder.h - the schema files of a folder
 */
#ifndef SCHEMAS_CATALOG_FOLDER_H
#define SCHEMAS_CATALOG_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

/* A larger file is refused. */
#define FOLDER_FILE_MAXIMUM ((size_t)1024 * 1024)

/* Called with each file; false ends the walk (the callee has written the error). */
typedef bool folder_fn(void *arg, const char *path, const char *text, size_t size);

/* Calls `each` with every *.avsc directly in the folder, by name. False if the folder or a file
 * can't be read, with `error` saying which and why, or if `each` returned false. */
bool folder_read(const char *directory, folder_fn *each, void *arg, char *error, size_t error_size)
	__attribute__((warn_unused_result));

#endif
