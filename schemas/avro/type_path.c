/*
 * type_path.c - the path to the current field of a datum, for errors
 */
#include "schemas/avro/type_path.h"

#include <stdio.h>

void type_path_text(const struct type_path *path, char *text, size_t size)
{
	size_t at = 0;
	text[0] = '\0';
	for (unsigned i = 0; i < path->depth && at < size; i++) {
		const struct type *type = path->steps[i].type;
		size_t index = path->steps[i].index;
		int written;
		if (type->kind == TYPE_RECORD)
			written = snprintf(text + at, size - at, "%s%s", i ? "." : "",
				type->fields[index].name);
		else
			written = snprintf(text + at, size - at,
				type->kind == TYPE_MAP ? "{%zu}" : "[%zu]", index);
		at += written > 0 ? (size_t)written : 0;
	}
}
