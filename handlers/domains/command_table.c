/* command_table.c - looks up commands by name; see command_table.h */
#include "handlers/domains/command_table.h"

#include <string.h>

#include "schemas/base/nearest.h"

int command_find(const char *name, size_t len)
{
	size_t low = 0, high = command_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *other = command_defs[middle].name;
		int order = strncmp(other, name, len);
		if (order == 0 && other[len] != '\0')
			order = 1;
		if (order == 0)
			return (int)middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

const char *command_nearest(const char *name)
{
	struct nearest nearest = { .wanted = name };
	for (size_t i = 0; i < command_count; i++)
		nearest_offer(&nearest, command_defs[i].name);
	return nearest.found;
}
