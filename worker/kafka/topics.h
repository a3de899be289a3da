/*
 * topics.h - which topics there are, asked without ever creating one
 *
 * Answers are kept for a while, so that a command's reply topic costs nothing when it is known.
 * Any thread; a question that is not kept blocks until the broker answers.
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

/* `rk` is borrowed, any client will do. */
struct topics *topics_new(rd_kafka_t *rk);
void topics_free(struct topics *topics);

/* Is there a topic of that name, and how many partitions has it? */
enum topic_answer topics_lookup(struct topics *topics, const char *name, size_t size,
	int32_t *partitions);

/* The topic's id, which changes when it is deleted and made anew; never from memory. "" if the
 * broker is too old to tell. */
#define TOPIC_ID_SIZE 64
enum topic_answer topics_id(struct topics *topics, const char *name, char id[TOPIC_ID_SIZE]);

#endif
