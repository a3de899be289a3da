/*
 * detached_limit.h - how many reads run beside their lanes at once: as many as give the most answers
 *
 * More sessions than PostgreSQL has processors make each read dearer, by a fifth for searches in
 * memory, fewer leave processors idle; and how many it has, or how long it waits for its disks,
 * nobody tells a client. So it is found by trial: while reads wait, now and then fewer or more run
 * for a moment, and what was better stays (hill climbing, as in the thread pool of .NET). A trial is
 * held against the time just before and just after it: what the reads ask for changes, and who else
 * has the machine. It starts with the most, where being wrong costs least.
 *
 * Times are clock_tick_ms. Not for several threads at once.
 */
#ifndef WORKER_LANES_DETACHED_LIMIT_H
#define WORKER_LANES_DETACHED_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct detached_limit {
	unsigned most;
	unsigned now;  /* how many may run */
	unsigned base; /* the best yet */
	bool upward;   /* the next trial's direction */
	unsigned
		trial; /* that was in force before this window, which it is held against; 0: none */
	double tried, before; /* reads a millisecond, in it and in the window before it */
	unsigned pause;       /* after a trial that was no better, in windows; it grows */
	unsigned left;        /* of that */
	/* This window: what ended while others waited, and the time that took. */
	unsigned settling; /* what was begun under another limit, and does not count */
	unsigned done;
	int64_t elapsed;
	int64_t last; /* when one ended and others waited; 0: none did */
};

/* most: at least 1. */
void detached_limit_init(struct detached_limit *limit, unsigned most);

/* A read has ended. waits: others wait for its turn. */
void detached_limit_done(struct detached_limit *limit, bool waits, int64_t now);

#endif
