/*
 * executor.h - a thread with a connection: claims lanes, runs batches and detached reads, retries
 * failures
 */
#ifndef WORKER_ENGINE_EXECUTOR_H
#define WORKER_ENGINE_EXECUTOR_H

#include "worker/engine/engine.h"

struct executor;

struct executor *executor_start(const struct engine *engine);
/* Waits until the thread ends, which lanes_quit causes. */
void executor_join(struct executor *executor);

#endif
