/*
 * load.h - loads the configuration: defaults, then the file, then the environment
 */
#ifndef WORKER_CONFIG_LOAD_H
#define WORKER_CONFIG_LOAD_H

#include <stdio.h>

#include "worker/config/config.h"

/*
 * Reads the file at `path`, then the environment, which overrides the file. With path NULL the file
 * is STOWAGE_CONFIG, else /etc/stowage/stowage.conf if it exists, else none.
 * On failure returns NULL after writing one line per mistake to `errors`: file, line, key, the
 * mistake and the nearest known key. Free the result with config_free.
 */
struct config *config_load(const char *path, FILE *errors) __attribute__((warn_unused_result));
/* NULL is no configuration. */
void config_free(struct config *config);

#endif
