/*
 * group.h - the live members of a consumer group, of either group protocol
 *
 * One thread. Blocking.
 */
#ifndef WORKER_CLIENT_GROUP_H
#define WORKER_CLIENT_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/client/client.h"

/* Returns false, with *error, if no broker answers. A group that does not exist has no members. */
bool group_count_members(struct client *client, const char *group, size_t *count,
	struct client_error *error) __attribute__((warn_unused_result));

#endif
