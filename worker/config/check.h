/*
 * check.h - checks that one text is a valid value for its key
 */
#ifndef WORKER_CONFIG_CHECK_H
#define WORKER_CONFIG_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Returns false and writes to `why` what is wrong with the text ("is not ..."). `why` must not
 * repeat a secret. */
typedef bool config_check_fn(const char *text, char *why, size_t why_size);

config_check_fn config_check_conninfo, config_check_schema, config_check_regex, config_check_topic,
	config_check_servers, config_check_property, config_check_address, config_check_age;

#endif
