/*
 * names.c - computes the full names of Avro's named types
 */
#include "schemas/avro/names.h"

#include <string.h>

bool name_resolve(struct full_name *full, const char *name, const char *namespace)
{
	const char *dot = strrchr(name, '.');
	size_t size = strlen(name);
	size_t prefix = dot ? (size_t)(dot - name) : strlen(namespace);
	if (prefix + size + 2 > NAME_SIZE)
		return false;
	memcpy(full->namespace, dot ? name : namespace, prefix);
	full->namespace[prefix] = '\0';
	char *at = full->text;
	if (!dot && prefix) {
		memcpy(at, namespace, prefix);
		at[prefix] = '.';
		at += prefix + 1;
	}
	memcpy(at, name, size + 1);
	return true;
}

bool name_define(struct full_name *full, const json_t *definition, const char *namespace)
{
	const char *name = json_string_value(json_object_get(definition, "name"));
	const char *given = json_string_value(json_object_get(definition, "namespace"));
	return name && *name && name_resolve(full, name, given ? given : namespace);
}

bool name_is_primitive(const char *name)
{
	static const char *const primitives[] = {
		"null",
		"boolean",
		"int",
		"long",
		"float",
		"double",
		"bytes",
		"string",
	};
	for (size_t i = 0; i < sizeof(primitives) / sizeof(*primitives); i++)
		if (strcmp(name, primitives[i]) == 0)
			return true;
	return false;
}
