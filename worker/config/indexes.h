/*
 * indexes.h - postgres.indexes, the only key with a structure of its own
 */
#ifndef WORKER_CONFIG_INDEXES_H
#define WORKER_CONFIG_INDEXES_H

#include <libconfig.h>
#include <stdbool.h>

#include "worker/config/state.h"

/* Stores the indexes of a list, or of the lists by domain in a group, or reports their mistakes. False: the
 * setting is neither. */
bool config_take_indexes(struct config_load *load, const struct config_key *key, const char *where,
	const config_setting_t *setting) __attribute__((warn_unused_result));
/* The same for a text in libconfig's notation. */
void config_set_indexes_from_text(struct config_load *load, const struct config_key *key,
	const char *where, const char *text);

#endif
