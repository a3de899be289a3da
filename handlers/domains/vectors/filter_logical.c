/* filter_logical.c - the table of logical operators */
#include "handlers/domains/vectors/filter_logical.h"

#include <string.h>

static const struct filter_logical filter_logicals[] = {
	{ "$and", "(", " AND ", "TRUE" },
	{ "$or", "(", " OR ", "FALSE" },
	{ "$nor", "NOT (", " OR ", "FALSE" },
	{ "$not", "NOT (", NULL, NULL },
};
#define LOGICALS (sizeof(filter_logicals) / sizeof(filter_logicals[0]))

const struct filter_logical *filter_logical_find(struct datum key)
{
	for (size_t i = 0; i < LOGICALS; i++)
		if (strlen(filter_logicals[i].name) == key.size &&
			memcmp(key.text, filter_logicals[i].name, key.size) == 0)
			return &filter_logicals[i];
	return NULL;
}
