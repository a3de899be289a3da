/*
 * topic_create.h - creates topics: `stowage topics create`, and kafka.createTopics
 *
 * Blocking. Any thread that has a client of its own.
 */
#ifndef WORKER_KAFKA_TOPIC_CREATE_H
#define WORKER_KAFKA_TOPIC_CREATE_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/config/config.h"

#define TOPIC_COMMANDS "mastra.commands." /* and the domain: the topic of its commands */
#define TOPIC_REPLIES "mastra.replies"
#define TOPIC_DEAD_LETTERS ".dlq" /* appended to a command topic's name */

/* Returns the names of the command topics of all domains and those that kafka.topics names, their
 * dead-letter topics, and mastra.replies. Free it with topic_create_names_free. */
struct config_list topic_create_names(const struct config *config, const char *const *domains,
	size_t domain_count);
void topic_create_names_free(struct config_list *names);
/* Adds a name to such a list, unless it is there. */
void topic_create_names_add(struct config_list *names, const char *name);

enum topic_created {
	TOPIC_CREATED,
	TOPIC_WAS_THERE, /* the topic exists and stays as it is */
	TOPIC_REFUSED,   /* `error` says why */
	TOPIC_FORBIDDEN, /* ... a right is missing */
};

/* replication -1: the broker's default. Waits until the topic exists. */
enum topic_created topic_create(rd_kafka_t *rk, const char *name, int partitions, int replication,
	char *error, size_t error_size) __attribute__((warn_unused_result));
/* Would topic_create lack a right? Asks the brokers, and creates nothing. */
bool topic_create_is_forbidden(rd_kafka_t *rk, const char *name, int partitions, int replication);

#endif
