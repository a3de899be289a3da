/*
 * reply_topics.h - which reply topics exist, asked without ever creating one
 *
 * Answers are cached, so that a known topic costs nothing. A topic that the brokers do not know is missing
 * only after a second look: it may be about to be created, or created again. A missing right to look is
 * no answer: commands wait until an operator grants it. The log says when that begins and ends.
 *
 * Any thread.
 */
#ifndef WORKER_KAFKA_REPLY_TOPICS_H
#define WORKER_KAFKA_REPLY_TOPICS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/telemetry/log.h"

enum reply_topic {
	REPLY_TOPIC_UNASKED, /* call reply_topics_ask */
	REPLY_TOPIC_THERE,
	REPLY_TOPIC_MISSING,
	REPLY_TOPIC_UNSURE, /* no broker can say now: ask again later */
};

struct reply_topics;

/* Borrows both. */
struct reply_topics *reply_topics_new(rd_kafka_t *rk, struct log *log);
void reply_topics_free(struct reply_topics *topics);

/* Does the topic exist, as far as known? If so, *partitions is the number of its partitions. */
enum reply_topic reply_topics_known(struct reply_topics *topics, const char *name, size_t size,
	int32_t *partitions);

/* Asks the brokers for all these topics in one request, and keeps the answers. Blocks for up to ten
 * seconds. */
void reply_topics_ask(struct reply_topics *topics, const char *const *names, size_t count);

/* For /readyz: may the worker look reply topics up? If not, `why` says why. */
bool reply_topics_are_ready(struct reply_topics *topics, char *why, size_t size);

#endif
