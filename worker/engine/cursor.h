/*
 * cursor.h - walks a batch's calls and folds neighbours into contexts
 */
#ifndef WORKER_ENGINE_CURSOR_H
#define WORKER_ENGINE_CURSOR_H

#include "handlers/core/context_engine.h"
#include "worker/engine/batch.h"

/* How far each lane of the batch has got. */
struct cursor {
	struct batch *batch;
	bool alone;                   /* fold nothing */
	size_t next[BATCH_LANES_MAX]; /* job, by the lane's place */
	size_t call[BATCH_LANES_MAX]; /* call within that job */
};

/* Returns the next context: the call at the front of the first lane that has any, and the calls at
 * the fronts of all lanes that fold with it. NULL: all calls are done. */
struct context *cursor_next(struct cursor *cursor, struct context_session *session);

/* May the batch end here? False while only some calls of a job have run. If true, cursor->next holds
 * the first job of each lane that has not run. */
bool cursor_may_stop(struct cursor *cursor);

#endif
