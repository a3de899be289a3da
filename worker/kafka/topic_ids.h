/*
 * topic_ids.h - the ids of topics, many in one request
 *
 * A topic's id changes when the topic is deleted and created again.
 *
 * Any thread.
 */
#ifndef WORKER_KAFKA_TOPIC_IDS_H
#define WORKER_KAFKA_TOPIC_IDS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/kafka/topics.h"

/* Asks for the topics; topic_ids_read reads the event that comes to the queue within timeout_ms. */
void topic_ids_ask(rd_kafka_t *rk, const char *const *names, size_t count, int timeout_ms,
	rd_kafka_queue_t *queue);
/* The same, and asks what the user may do with them. */
void topic_ids_ask_rights(rd_kafka_t *rk, const char *const *names, size_t count, int timeout_ms,
	rd_kafka_queue_t *queue);

/* The answer for one topic. */
struct topic_id {
	const char *topic;
	rd_kafka_resp_err_t error; /* UNKNOWN_TOPIC_OR_PART: it does not exist */
	char id[TOPIC_ID_SIZE];    /* "" if the broker is too old to report one */
	const rd_kafka_TopicDescription_t *description; /* valid within the call */
};

/* Calls `each` for every topic. False: no broker answered. */
typedef void topic_ids_fn(void *arg, const struct topic_id *topic);
bool topic_ids_read(rd_kafka_event_t *event, topic_ids_fn *each, void *arg);

/* Asks for the topics, waits, and calls `each` for every topic. Blocks for at most timeout_ms and a second.
 * False: no broker answered. */
bool topic_ids_get(rd_kafka_t *rk, const char *const *names, size_t count, int timeout_ms,
	topic_ids_fn *each, void *arg);

/* Does the answer to topic_ids_ask_rights say that the user may not read the topic? Old brokers do not say. */
bool topic_ids_forbid_read(const struct topic_id *topic);

/* Do the ids name the same topic? An unknown one ("") equals any. */
bool topic_ids_equal(const char *one, const char *other);

#endif
