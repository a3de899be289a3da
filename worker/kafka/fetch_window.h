/*
 * fetch_window.h - which partitions are fetched from, where many have much waiting
 *
 * A broker hands out whole batches, whatever is asked for of a partition, and a producer's batch
 * may have a megabyte: librdkafka's queues would hold one of every partition, far above the
 * ceiling of memory. So of the lanes that are behind their partition's end only as many are
 * fetched from at once as the ceiling has megabytes for; the others wait, paused, with nothing in
 * librdkafka's queues. Who has had a megabyte lets the one in that has waited longest. A lane at
 * its partition's end is always fetched from: what comes next is not to wait.
 *
 * A lane is in the window from fetch_window_admit on; it says so in lane->fetched.
 *
 * All of it on the consumer's thread.
 */
#ifndef WORKER_KAFKA_FETCH_WINDOW_H
#define WORKER_KAFKA_FETCH_WINDOW_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/lanes/lanes.h"

struct fetch_window;

/* `bytes` is what librdkafka's queues may hold together, and the lanes as much. */
struct fetch_window *fetch_window_new(rd_kafka_t *consumer, struct lanes *lanes, size_t bytes);
void fetch_window_free(struct fetch_window *window);

/* May a lane that is to be started be fetched from at once? Else fetch_window_turn lets it in. */
bool fetch_window_admit(struct fetch_window *window, struct lane *lane);

/* So many bytes came out of the partition's queue into the lane. */
void fetch_window_moved(struct fetch_window *window, struct lane *lane, size_t bytes);

/* Lets lanes in, and puts out those who have had their share while others wait. Before a lane is
 * put out, `empty` has to move all that is in its partition's queue to the lane: pausing drops it. */
void fetch_window_turn(struct fetch_window *window, void (*empty)(void *arg, struct lane *lane),
	void *arg);

#endif
