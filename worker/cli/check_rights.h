/*
 * check_rights.h - checks that the topics exist and that this user may do what the worker does
 */
#ifndef WORKER_CLI_CHECK_RIGHTS_H
#define WORKER_CLI_CHECK_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/cli/check_report.h"
#include "worker/client/client.h"

/* What the worker does with a topic. */
enum topic_use { USE_COMMANDS, USE_DEAD_LETTERS, USE_REPLIES };

/* Topics and their uses; each topic once. Zero is an empty list. */
struct topic_uses {
	struct topic_item {
		char *name;
		enum topic_use use;
		bool optional; /* it need not exist */
	} *items;
	size_t count;
};
/* Adds a topic unless it is there. */
void topic_uses_add(struct topic_uses *topics, const char *name, enum topic_use use, bool optional);
void topic_uses_free(struct topic_uses *topics);

/* Checks the rights on the topics, on the group and on the cluster. A topic that does not exist fails, too. */
void check_rights(struct check *check, struct client *client, const struct topic_uses *topics);

#endif
