/*
 * folder.h - reads the schema files of a folder
 *
 * Threads: no shared state.
 */
#ifndef SCHEMAS_CATALOG_FOLDER_H
#define SCHEMAS_CATALOG_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

/* The maximum size of a file in bytes. */
#define FOLDER_FILE_MAXIMUM ((size_t)1024 * 1024)

/* Processes a file. To stop, writes the error and returns false. */
typedef bool folder_fn(void *arg, const char *path, const char *text, size_t size);

/* Calls `each` for every *.avsc of the folder, but not of its subfolders, in order of names. False
 * if the folder or a file can't be read (`error` then has its path and the reason), or if `each`
 * returned false. */
bool folder_read(const char *directory, folder_fn *each, void *arg, char *error, size_t error_size)
	__attribute__((warn_unused_result));

#endif
