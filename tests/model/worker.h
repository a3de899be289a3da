/*
 * worker.h - one worker process: its lanes, executors, producer and the consumer that fills the lanes
 */
#ifndef TESTS_MODEL_WORKER_H
#define TESTS_MODEL_WORKER_H

#include "tests/model/sim.h"

struct worker;

/* Starts a process with this number and `executors` threads that apply commands. */
struct worker *worker_start(int number, int executors);
/* Kills it at this point. */
void worker_kill(struct worker *worker);
struct process *worker_process(struct worker *worker);

/* What the group tells the worker; it hears of it in its own time, in order. */
enum group_word {
	GROUP_ASSIGN,
	GROUP_REVOKE, /* it may end what it has in hand, and says when it is done */
	GROUP_LOST,   /* the partition is another's already */
};
void worker_hear(struct worker *worker, enum group_word word, int partition);

/* Called by a worker that gave the partition up after GROUP_REVOKE. */
void group_given_up(const struct worker *worker, int partition);

#endif
