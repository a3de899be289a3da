/*
 * ddl_options.h - options for creating tables, from the configuration
 */
#ifndef WORKER_CONFIG_DDL_OPTIONS_H
#define WORKER_CONFIG_DDL_OPTIONS_H

#include "db/migrate/ddl.h"
#include "worker/config/config.h"

/* `indexes` must have room for config->postgres.index_count items. It and the configuration must
 * outlive the options. */
struct ddl_options config_ddl_options(const struct config *config, struct ddl_index *indexes);

#endif
