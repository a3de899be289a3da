/*
 * file.h - reads keys from the configuration file
 */
#ifndef WORKER_CONFIG_FILE_H
#define WORKER_CONFIG_FILE_H

#include "worker/config/state.h"

void config_read_path(struct config_load *load, const char *path);

#endif
