/*
 * detached_read.h - a read that left its lane: its decoded command, kept until it has its answer
 *
 * The read is decoded once, in its lane's batch, into an arena that moves along with it.
 */
#ifndef WORKER_ENGINE_DETACHED_READ_H
#define WORKER_ENGINE_DETACHED_READ_H

#include "worker/engine/batch.h"
#include "worker/lanes/detached.h"

/* Detaches a job of a committed batch: takes over its message and its arena. The read may be done
 * and gone when this returns. */
void detached_read_start(const struct engine *engine, struct batch *batch, struct job *job);

/* Returns the read's job; its calls live in the read's own arena. */
const struct job *detached_read_job(const struct detached_read *read);

#endif
