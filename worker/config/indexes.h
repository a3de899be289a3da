/*
 * indexes.h - postgres.indexes, the only key with a structure of its own
 */
#ifndef WORKER_CONFIG_INDEXES_H
#define WORKER_CONFIG_INDEXES_H

#include <libconfig.h>

#include "worker/config/keys.h"

/* Stores the list, or writes its mistakes. */
void config_take_indexes(struct config_load *load, const struct config_key *key, const char *where,
	const config_setting_t *setting);

/* A list of texts; false (and an empty list) if it is anything else. */
bool config_setting_texts(const config_setting_t *setting, struct config_list *list);

#endif
