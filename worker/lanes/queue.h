/*
 * queue.h - messages that wait in lanes, and the memory they take
 *
 * A message counts against the memory ceiling from lanes_push until lanes_released.
 */
#ifndef WORKER_LANES_QUEUE_H
#define WORKER_LANES_QUEUE_H

#include "worker/lanes/lanes.h"

/* --- consumer's thread --- */

/* Returns how many more messages the lane accepts now; 0 if it is full or not running. */
size_t lanes_room(struct lanes *lanes, const struct lane *lane);
/* Takes the messages over and destroys those that the lane does not accept. Returns the bytes of
 * the accepted ones. */
size_t lanes_push(struct lanes *lanes, struct lane *lane, rd_kafka_message_t **messages,
	size_t count);
/* No message lies before that offset: lane_reached_end. */
void lanes_reached_end(struct lanes *lanes, struct lane *lane, int64_t offset);

/* --- executors --- */

/* Returns the lane's next message, now the caller's, or NULL. */
rd_kafka_message_t *lanes_pop(struct lanes *lanes, struct lane *lane);
/* Calls `each` with the lane's first waiting messages, at most `most`, with the mutex held. */
void lanes_each_waiting(struct lanes *lanes, const struct lane *lane, size_t most,
	void (*each)(void *arg, const rd_kafka_message_t *message), void *arg);
/* The lane begins no batch before delay_ms. */
void lanes_defer(struct lanes *lanes, struct lane *lane, int64_t delay_ms);
/* Puts popped messages back in order. */
void lanes_unpop(struct lanes *lanes, struct lane *lane, rd_kafka_message_t **messages,
	size_t count);
/* The caller destroyed popped messages of that size. */
void lanes_released(struct lanes *lanes, size_t bytes);

#endif
