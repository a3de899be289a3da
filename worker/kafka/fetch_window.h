/*
 * fetch_window.h - which partitions librdkafka fetches when many have many messages waiting
 *
 * A broker sends whole batches, however little the client asks for, and a producer's batch may take
 * a megabyte. librdkafka's queues would hold one batch of every partition, far above the memory
 * ceiling. So of the lanes that are behind their partition's end, only as many are fetched at once
 * as the ceiling has megabytes for. The others wait, paused, with nothing in librdkafka's queues. A
 * lane that has received a megabyte makes room for the one that has waited longest. A lane at its
 * partition's end is always fetched, because its next message must not wait.
 *
 * Consumer's thread.
 */
#ifndef WORKER_KAFKA_FETCH_WINDOW_H
#define WORKER_KAFKA_FETCH_WINDOW_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/lanes/fetch.h"

struct fetch_window;

/* `bytes`: what librdkafka's queues may hold together; the lanes may hold as much. */
struct fetch_window *fetch_window_new(rd_kafka_t *consumer, struct lanes *lanes, size_t bytes);
void fetch_window_free(struct fetch_window *window);

/* May the consumer fetch a lane at once that it has just started? If not, fetch_window_turn admits
 * it later. */
bool fetch_window_admit(struct fetch_window *window, struct lane *lane);

/* `bytes` moved from the partition's queue into the lane. */
void fetch_window_moved(struct fetch_window *window, struct lane *lane, size_t bytes);

/* Moves everything from the partition's queue to the lane: pausing the partition drops its queue. If it
 * returns false, the lane stays for now. */
typedef bool fetch_window_empty_fn(void *arg, struct lane *lane);

/* Stops fetching a lane until it is claimed again: librdkafka can't read what comes next. */
void fetch_window_block(struct fetch_window *window, struct lane *lane);
/* Stops fetching a heavy lane that has no room, until its messages are done. */
void fetch_window_hold(struct fetch_window *window, struct lane *lane, fetch_window_empty_fn *empty,
	void *arg);

/* Admits lanes that wait, and expels lanes that had their share while others wait. */
void fetch_window_turn(struct fetch_window *window, fetch_window_empty_fn *empty, void *arg);

#endif
