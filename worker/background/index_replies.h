/*
 * index_replies.h - replies and dead letters of builds that ended, on their way to Kafka
 *
 * The builder's thread sends; the producer's threads tell how it ended.
 */
#ifndef WORKER_BACKGROUND_INDEX_REPLIES_H
#define WORKER_BACKGROUND_INDEX_REPLIES_H

#include <stdatomic.h>

#include "db/state/build_rows.h"
#include "worker/engine/engine.h"

struct builder_answers {
	const struct engine *engine;
	struct arena *arena;
	int wake_fd; /* written when the last one ended */
	atomic_size_t under_way;
	atomic_bool lost;    /* one of them went with its producer: all are sent again */
	atomic_bool refused; /* Kafka refuses a dead letter, which must not be dropped */
	int64_t id, token;   /* of the build they belong to; id 0: none */
	bool bad;            /* the stored addresses can't be read */
};

/* Sends all of them: an `each` of build_rows_answers. */
void builder_answers_send(void *arg, const struct build_answers *answers);

#endif
