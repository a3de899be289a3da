/*
 * type_path.h - the path to the current field while a datum is decoded or encoded, for errors
 *
 * The decoder enters each record, array and map, and sets the index of the current field or item.
 * The text is built only for an error. Not thread-safe: each decoder has its own path.
 */
#ifndef SCHEMAS_AVRO_TYPE_PATH_H
#define SCHEMAS_AVRO_TYPE_PATH_H

#include <stddef.h>

#include "schemas/avro/type.h"

struct type_path {
	unsigned depth;
	struct {
		const struct type *type;
		size_t index; /* of the field, or of the item */
	} steps[TYPE_DEPTH_MAXIMUM];
};

static inline void type_path_enter(struct type_path *path, const struct type *type)
{
	path->steps[path->depth].type = type;
	path->steps[path->depth].index = 0;
	path->depth++;
}

static inline void type_path_leave(struct type_path *path)
{
	path->depth--;
}

/* Sets the index within the container entered last. */
static inline void type_path_index(struct type_path *path, size_t index)
{
	path->steps[path->depth - 1].index = index;
}

/* Writes "messages[3].content" or "tags{0}" (the first pair of a map), cut to `size`. */
void type_path_text(const struct type_path *path, char *text, size_t size);

#endif
