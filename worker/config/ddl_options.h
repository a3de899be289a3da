/*
 * ddl_options.h - what the configuration asks of the tables
 */
#ifndef WORKER_CONFIG_DDL_OPTIONS_H
#define WORKER_CONFIG_DDL_OPTIONS_H

#include "db/migrate/ddl.h"
#include "worker/config/config.h"

/* `indexes` has room for config->postgres.index_count items and must outlive the options. */
struct ddl_options config_ddl_options(const struct config *config, struct ddl_index *indexes);

#endif
