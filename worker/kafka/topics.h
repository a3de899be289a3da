/*
 * topics.h - which topics exist, asked without ever creating one
 *
 * Answers are cached, so that looking up a command's known reply topic costs nothing. Any thread.
 */
#ifndef WORKER_KAFKA_TOPICS_H
#define WORKER_KAFKA_TOPICS_H

#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <stdint.h>

enum topic_answer {
	TOPIC_THERE,
	TOPIC_MISSING,
	TOPIC_UNREACHABLE, /* no broker answered: ask again later */
};

struct topics;

/* Borrows `rk`; any client will do. */
struct topics *topics_new(rd_kafka_t *rk);
void topics_free(struct topics *topics);

/* Does the topic exist? If so, *partitions is the number of its partitions. */
enum topic_answer topics_lookup(struct topics *topics, const char *name, size_t size,
	int32_t *partitions);

/* Reads the topic's id, which changes when the topic is deleted and created again. Not cached. The
 * id is "" if the broker is too old to report one. */
#define TOPIC_ID_SIZE 64
enum topic_answer topics_id(struct topics *topics, const char *name, char id[TOPIC_ID_SIZE]);

#endif
