/*
 * tls.h - postgres.ssl as a group: which mode of libpq it means, its files, and contradictions
 */
#ifndef WORKER_CONFIG_TLS_H
#define WORKER_CONFIG_TLS_H

#include "worker/config/state.h"

#define TLS_FILES 3

/* libpq's parameters for ssl_files: sslrootcert, sslcert, sslkey. */
extern const char *const tls_parameters[TLS_FILES];

/* Chooses the mode, and gives libpq a file for each of ca, cert and key, also for PEM text. Reports keys that
 * contradict each other or the connection string. Once, after all sources. */
void config_complete_tls(struct config_load *load);

/* Closes the files that hold PEM text. */
void config_tls_free(struct config *config);

#endif
