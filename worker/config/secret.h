/*
 * secret.h - files that hold secrets, such as a password that is rotated while the worker runs
 *
 * Any thread.
 */
#ifndef WORKER_CONFIG_SECRET_H
#define WORKER_CONFIG_SECRET_H

#include <stddef.h>

#include "worker/config/config.h"

/* Returns the file's text without the final line ends, which the caller frees. NULL: it can't be read, and
 * `why` says why. */
char *config_secret_read(const char *path, char *why, size_t size)
	__attribute__((warn_unused_result));

/* Returns the value of a text key as it is now, which the caller frees; NULL: not set. A value that came
 * from a file is read again. If that fails, the value is the one that was read at start, and `why` says
 * why; otherwise `why` becomes "". */
char *config_secret_now(const struct config *config, const char *path, char *why, size_t size)
	__attribute__((warn_unused_result));

#endif
