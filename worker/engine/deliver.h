/*
 * deliver.h - what follows a committed batch: lanes move on, replies go to Kafka, jobs are counted
 *
 * For the executor's thread.
 */
#ifndef WORKER_ENGINE_DELIVER_H
#define WORKER_ENGINE_DELIVER_H

#include "worker/engine/batch.h"

/* Moves the batch's lanes, sends its replies and dead letters, detaches its reads and wakes the index
 * builder if a call was deferred. `written`: the transaction wrote the lanes' rows. */
void deliver_batch(const struct engine *engine, struct batch *batch, bool written);

/* Sends what a detached read's batch left to send. Returns false if that is nothing: then no
 * acknowledgement will end the read. */
bool deliver_detached(const struct engine *engine, struct batch *batch);

/* Counts the jobs' outcomes and logs the failed ones. */
void deliver_count(const struct engine *engine, const struct batch *batch);

#endif
