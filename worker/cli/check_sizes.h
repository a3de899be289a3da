/*
 * check_sizes.h - checks that what the worker accepts and sends fits into the topics
 */
#ifndef WORKER_CLI_CHECK_SIZES_H
#define WORKER_CLI_CHECK_SIZES_H

#include "worker/cli/check_rights.h"

/* Prints notes: a topic may take less than the worker sends, on purpose. A topic whose configuration
 * this user may not see is left out. */
void check_sizes(struct check *check, struct client *client, const struct topic_uses *topics);

#endif
