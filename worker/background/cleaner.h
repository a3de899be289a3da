/*
 * cleaner.h - deletes rows that are too old, on the schedule of the configuration
 *
 * A thread with a connection of its own. At each time (retention.every) one worker of the group has the
 * lease and prunes all tables for which the configuration has an age. It pauses while much waits in the
 * partitions. If it ends or dies meanwhile, another worker goes on.
 */
#ifndef WORKER_BACKGROUND_CLEANER_H
#define WORKER_BACKGROUND_CLEANER_H

struct cleaner;
struct engine;

/* NULL: the configuration has no ages, so there is nothing to do. */
struct cleaner *cleaner_start(const struct engine *engine);
/* Waits for the thread, which ends after the batch in hand, and frees the cleaner. NULL is allowed. */
void cleaner_stop(struct cleaner *cleaner);

#endif
