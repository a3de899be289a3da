/*
 * ddl_options.h - options for creating tables, from the configuration
 */
#ifndef WORKER_CONFIG_DDL_OPTIONS_H
#define WORKER_CONFIG_DDL_OPTIONS_H

#include "db/migrate/ddl.h"
#include "worker/config/config.h"

/* The options of a tenant's schema, which gets no tables of the worker's own; NULL: of the worker's schema.
 * `indexes` must have room for config->postgres.index_count items. All of them must outlive the options. */
struct ddl_options config_ddl_options(const struct config *config, const char *tenant,
	struct ddl_index *indexes);

#endif
