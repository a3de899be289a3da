/*
 * executor.h - a thread with a connection: takes lanes, runs batches, sees to what fails
 */
#ifndef WORKER_ENGINE_EXECUTOR_H
#define WORKER_ENGINE_EXECUTOR_H

#include "worker/engine/engine.h"

struct executor;

struct executor *executor_start(const struct engine *engine);
/* Waits for its end, which lanes_quit brings about. */
void executor_join(struct executor *executor);

#endif
