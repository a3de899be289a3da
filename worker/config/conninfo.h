/*
 * conninfo.h - libpq's connection parameters from the configuration
 */
#ifndef WORKER_CONFIG_CONNINFO_H
#define WORKER_CONFIG_CONNINFO_H

#include "worker/config/config.h"

/* Keyword and value arrays for PQconnectdbParams, each ending in NULL. They set application_name,
 * keepalives and connect_timeout. Free them with config_conninfo_free. */
struct config_conninfo {
	const char **keywords;
	const char **values;
};

struct config_conninfo config_conninfo(const struct config *config);
void config_conninfo_free(struct config_conninfo *info);

#endif
