/*
 * mask.h - hides secrets before a value is printed or logged
 */
#ifndef WORKER_CONFIG_MASK_H
#define WORKER_CONFIG_MASK_H

#include <stdbool.h>
#include <stddef.h>

/* A libpq connection string as name=value pairs with its secrets replaced. The caller frees it. */
char *config_masked(const char *connection_string);

/* Is the value of this librdkafka property a secret? */
bool config_property_is_secret(const char *name, size_t len);

#endif
