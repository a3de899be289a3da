/*
 * cursor.h - walks a batch's calls and folds calls into contexts
 *
 * Calls of one lane and one schema keep their order. Calls of different schemas touch different tables, so
 * their order does not matter: calls of one schema fold even if calls of others lie between. A call that may touch
 * other schemas, or whose reply may be large, keeps its place among all calls of its lane.
 */
#ifndef WORKER_ENGINE_CURSOR_H
#define WORKER_ENGINE_CURSOR_H

#include "handlers/core/context_engine.h"
#include "worker/engine/batch.h"

/* How far each lane of the batch has got. */
struct cursor {
	struct batch *batch;
	bool alone;                   /* fold nothing, and keep the order of each lane */
	bool isolating;               /* the level is ATTEMPT_ISOLATING */
	uint64_t *turns;              /* of each lane, its jobs in the order in which they run */
	struct call **calls;          /* of the contexts so far */
	size_t used;                  /* of calls */
	size_t next[BATCH_LANES_MAX]; /* turn, by the lane's place */
	size_t end[BATCH_LANES_MAX];  /* behind the last job that has run */
};

/* Orders the batch's jobs. The cursor's memory is of the batch's arena. */
void cursor_init(struct cursor *cursor, struct batch *batch, bool alone, bool isolating);

/* Returns the next context: the call at the front of a lane, and the calls at the fronts of all lanes that
 * fold with it. NULL: all calls are done. */
struct context *cursor_next(struct cursor *cursor, struct context_session *session);

/* May the batch end here? False while a job has run before an earlier one of its lane. If true,
 * cursor->next holds the first job of each lane that has not run. */
bool cursor_may_stop(struct cursor *cursor);

#endif
