/*
 * conninfo.h - libpq's connection parameters from the configuration
 */
#ifndef WORKER_CONFIG_CONNINFO_H
#define WORKER_CONFIG_CONNINFO_H

#include <libpq-fe.h>

#include "worker/config/config.h"

/* Keyword and value arrays for PQconnectdbParams, each ending in NULL. They set application_name,
 * keepalives, connect_timeout and target_session_attrs. Secrets in files are read anew. `config` must come
 * from config_load. Free the arrays with config_conninfo_free. */
struct config_conninfo {
	const char **keywords;
	const char **values;
};

struct config_conninfo config_conninfo(const struct config *config);
void config_conninfo_free(struct config_conninfo *info);

/* Connects as `config`, a struct config, says; blocks. Returns the connection also on failure; never
 * NULL. Any thread. */
PGconn *config_connect(const void *config);

/* Reads the files that hold secrets of the connection. False: one can't be read, and `error` says why. Any
 * thread. */
bool config_conninfo_readable(const struct config *config, char *error, size_t error_size);

#endif
