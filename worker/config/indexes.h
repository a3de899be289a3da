/*
 * indexes.h - postgres.indexes, the only key with a structure of its own
 */
#ifndef WORKER_CONFIG_INDEXES_H
#define WORKER_CONFIG_INDEXES_H

#include <libconfig.h>

#include "worker/config/state.h"

/* Stores the list, or reports its mistakes. */
void config_take_indexes(struct config_load *load, const struct config_key *key, const char *where,
	const config_setting_t *setting);
/* The same for a text in libconfig's notation. */
void config_set_indexes_from_text(struct config_load *load, const struct config_key *key,
	const char *where, const char *text);

#endif
