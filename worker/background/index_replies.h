/*
 * index_replies.h - sends the replies and dead letters of ended builds
 *
 * The builder's thread sends; the producer's threads report how each message ended.
 */
#ifndef WORKER_BACKGROUND_INDEX_REPLIES_H
#define WORKER_BACKGROUND_INDEX_REPLIES_H

#include <stdatomic.h>

#include "db/state/build_rows.h"
#include "worker/engine/engine.h"

struct builder_answers {
	const struct engine *engine;
	struct arena *arena;
	int wake_fd; /* written when the last message has ended */
	atomic_size_t under_way;
	atomic_bool lost;    /* a message was lost with its producer: all are sent again */
	atomic_bool refused; /* Kafka refuses a dead letter, which must not be dropped */
	int64_t id, token;   /* of the build; id 0: none */
	bool bad;            /* the stored addresses are unreadable */
};

/* Sends them all; build_rows_answers calls it. */
void builder_answers_send(void *arg, const struct build_answers *answers);

#endif
