/* failure.c - names of the failure categories */
#include "handlers/core/failure.h"

#include <stddef.h>

static const char *const category_names[] = {
	[FAILURE_INVALID] = "INVALID",
	[FAILURE_NOT_FOUND] = "NOT_FOUND",
	[FAILURE_CONFLICT] = "CONFLICT",
	[FAILURE_UNSUPPORTED] = "UNSUPPORTED",
	[FAILURE_TIMEOUT] = "TIMEOUT",
	[FAILURE_UNAVAILABLE] = "UNAVAILABLE",
	[FAILURE_INTERNAL] = "INTERNAL",
};

const char *failure_category_name(enum failure_category category)
{
	size_t count = sizeof(category_names) / sizeof(category_names[0]);
	return (size_t)category < count ? category_names[category] : "INTERNAL";
}
