/*
 * rights.h - what brokers allow this user to do with topics, the group and the cluster
 *
 * One thread. Blocking.
 */
#ifndef WORKER_CLIENT_RIGHTS_H
#define WORKER_CLIENT_RIGHTS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/client/client.h"

struct rights {
	rd_kafka_resp_err_t
		error; /* TOPIC_AUTHORIZATION_FAILED or the like: not even DESCRIBE is allowed */
	bool known;    /* the broker reports operations */
	unsigned operations; /* a bit for each rd_kafka_AclOperation_t */
};

bool rights_include(const struct rights *rights, rd_kafka_AclOperation_t operation);

/* Each sets the rights, or returns false and *error if no broker answers. The names of topics must differ;
 * `rights` has as many members. */
bool rights_of_topics(struct client *client, const char *const *names, size_t count,
	struct rights *rights, struct client_error *error) __attribute__((warn_unused_result));
bool rights_of_group(struct client *client, const char *group, struct rights *rights,
	struct client_error *error) __attribute__((warn_unused_result));
bool rights_of_cluster(struct client *client, struct rights *rights, struct client_error *error)
	__attribute__((warn_unused_result));

#endif
