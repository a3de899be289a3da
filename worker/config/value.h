/*
 * value.h - stores one key's value, from any source
 */
#ifndef WORKER_CONFIG_VALUE_H
#define WORKER_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/config/state.h"

/* Each function checks the value, then stores it with its origin `where` or reports a mistake. */
void config_set_text(struct config_load *load, const struct config_key *key, const char *where,
	const char *text);
void config_set_integer(struct config_load *load, const struct config_key *key, const char *where,
	int64_t value);
void config_set_switch(struct config_load *load, const struct config_key *key, const char *where,
	bool value);
/* Always takes ownership of the list. */
void config_set_texts(struct config_load *load, const struct config_key *key, const char *where,
	struct config_list list);
/* Always takes ownership of the indexes. */
void config_set_indexes(struct config_load *load, const struct config_key *key, const char *where,
	struct config_index *indexes, size_t count);
/* Puts the lines of the file that kafka.propertiesFile names before kafka.properties. */
void config_join_lines(struct config_load *load);

#endif
