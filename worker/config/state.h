/*
 * state.h - the state of one load of the configuration, and its mistakes
 */
#ifndef WORKER_CONFIG_STATE_H
#define WORKER_CONFIG_STATE_H

#include <stddef.h>
#include <stdio.h>

#include "worker/config/config.h"
#include "worker/config/keys.h"

enum config_source { CONFIG_FROM_DEFAULT, CONFIG_FROM_FILE, CONFIG_FROM_ENVIRONMENT };

struct config_origin {
	enum config_source source;
	char *where; /* "/etc/stowage/stowage.conf:3", "environment STOWAGE_..."; NULL: default */
};

/* config_load allocates this; its callers see only the first member. */
struct config_full {
	struct config config;
	struct config_origin origins[CONFIG_KEYS_MAX];
	char *files[CONFIG_KEYS_MAX]; /* the file that holds the key's value; NULL: none does */
};

/* State of one load, which goes on after a mistake to report all of them. */
struct config_load {
	struct config_full *full;
	FILE *errors;
	size_t mistakes;
	enum config_source source;
	bool ssl_group;           /* the file has postgres.ssl as a group */
	struct config_list lines; /* of kafka.propertiesFile; config_join_lines moves them */
};

/* Writes one line to load->errors and counts the mistake. `path` names the key and may be NULL. */
void config_mistake(struct config_load *load, const char *where, const char *path,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Where the key's value came from. */
struct config_origin *config_origin(const struct config_load *load, const struct config_key *key);

#endif
