/*
 * detached.h - reads that left their lanes and run on other connections
 *
 * Up to limits.detached_reads run at once. A read that has run for some time no longer counts
 * towards that limit, so quick searches do not wait behind a few that scan a large table. Together with
 * slow lanes, up to limits.slow_max run then.
 */
#ifndef WORKER_LANES_DETACHED_H
#define WORKER_LANES_DETACHED_H

#include "worker/lanes/lanes.h"

struct detached_read {
	struct detached_read *next;
	struct lane *lane;   /* referenced */
	uint32_t generation; /* of the lane's replies, when the read left it */
	int64_t offset;
	void *work; /* the executors' own: the decoded command */
	void (*free_work)(void *work);
	int64_t retry_at; /* clock_tick_ms; not before */
	int64_t began;    /* clock_tick_ms */
	int retries;
	struct lane_loss loss;     /* its session broke, and nobody has judged why */
	int crashes;               /* of the server, by this read */
	struct lane_breaks broken; /* sessions that broke for an unknown reason */
};

/* Takes the read over and queues it. */
void lanes_detach_read(struct lanes *lanes, struct detached_read *read);
/* Can the lanes take another read, behind `before` others that the caller will detach? If not, it
 * runs in its lane. */
bool lanes_detached_room(struct lanes *lanes, size_t before);
/* Is the read's generation still the lane's? If not, the lane runs the read again. */
bool lanes_read_wanted(struct lanes *lanes, const struct detached_read *read);
/* Queues a read that WORK_DETACHED gave out again; it runs at retry_at. */
void lanes_retry_read(struct lanes *lanes, struct detached_read *read);
/* The read has its answer. It stays the caller's, who frees it. */
void lanes_read_done(struct lanes *lanes, struct detached_read *read);
void lanes_free_read(struct lanes *lanes, struct detached_read *read);
/* Estimates how long the last of the waiting reads waits, in ms, if each takes took_ms and the
 * burst is as large as at its peak; 0: none waits. */
int64_t lanes_detached_wait_ms(struct lanes *lanes, int64_t took_ms);

/* --- the module's own, with the mutex held --- */

/* May a waiting read start now? If not, *later becomes the time when one may, if that is earlier. */
bool detached_has_read(struct lanes *lanes, int64_t now, int64_t *later);
/* The same; starts the read and returns it, or NULL. */
struct detached_read *detached_begin(struct lanes *lanes, int64_t now, int64_t *later);
/* Frees all waiting reads; for lanes_free. */
void detached_free_all(struct lanes *lanes);

#endif
