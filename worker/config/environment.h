/*
 * environment.h - reads keys from environment variables
 */
#ifndef WORKER_CONFIG_ENVIRONMENT_H
#define WORKER_CONFIG_ENVIRONMENT_H

#include "worker/config/state.h"

/* Also reports variables that look like a misspelled key. */
void config_read_environment(struct config_load *load);

#endif
