/*
 * fetch.h - what the consumer and its fetch window keep of each lane
 *
 * Consumer's thread only, except for lane_arrived's callback.
 */
#ifndef WORKER_LANES_FETCH_H
#define WORKER_LANES_FETCH_H

#include "worker/lanes/lanes.h"

/* A producer's largest batch, unless the producer or the topic is configured otherwise. A lane that
 * received this much has had its share. */
#define FETCH_SHARE_BYTES ((size_t)1024 * 1024)

/* Takes the partition's queue over. librdkafka's threads mark the lane as arrived and wake the
 * consumer when messages come into the empty queue. */
void lane_open_source(struct lanes *lanes, struct lane *lane, rd_kafka_queue_t *source);
/* librdkafka's threads touch the lane no longer, so it may be freed. */
void lane_close_source(struct lane *lane);

/* Did messages arrive since the source was last emptied? */
bool lane_has_arrived(const struct lane *lane);
/* Moves up to `most` messages from the source into `messages`; returns their number. */
size_t lane_consume(struct lane *lane, rd_kafka_message_t **messages, size_t most);

/* Drops what the lane does not accept, and makes the consumer fetch again from `next`. */
void lane_refetch(struct lanes *lanes, struct lane *lane);

/* Is the lane claimed and not proven at `mark`? */
bool lane_awaits_proof(struct lanes *lanes, const struct lane *lane, unsigned long long mark);
/* Brokers say that the topic's id is `id`. If the lane claimed that topic's offsets, the lane is proven at
 * `mark`: what was fetched by then comes from that topic. Returns how many answers in a row have named
 * another topic, at most 1 while commands of the old one still wait or run. */
int lane_prove(struct lanes *lanes, struct lane *lane, const char *id, unsigned long long mark);
/* The last mark; 0: not proven since the lane was claimed. */
unsigned long long lane_proven(const struct lane *lane);

/* librdkafka fetches the partition now; it does not. */
void lane_admit(struct lane *lane);
void lane_expel(struct lane *lane);
/* Do its messages consist of keys and headers for the most part, and are those large? librdkafka does not
 * count them, so its queue would hold a thousand such messages whatever the limits say. */
bool lane_is_heavy(const struct lane *lane);
/* Expels a heavy lane until its messages are done. */
void lane_hold(struct lane *lane);
/* With `blocked` the lane is not admitted again: librdkafka can't read what comes next. What has arrived still
 * runs. */
void lane_block(struct lanes *lanes, struct lane *lane, bool blocked);
/* The lane waits to be admitted. */
void lane_await_admission(struct lane *lane);
/* `bytes` moved from the source into the lane. `now`: clock_tick_ms, 0: the time does not matter. */
void lane_moved(struct lane *lane, size_t bytes, int64_t now);
/* The partition ends at `end` at least. */
void lane_extend(struct lane *lane, int64_t end);

/* What the fetch window decides by. */
struct fetch_look {
	size_t bytes;          /* of all lanes' messages */
	size_t behind;         /* admitted lanes that are behind their partition's end */
	struct lane *first;    /* has waited longest to be admitted; NULL: none waits */
	bool holds;            /* a lane that is held waits for its messages to be done */
	struct lane *had_most; /* has received most of those that had their share; NULL: none has */
};
struct fetch_look lanes_look_around(struct lanes *lanes);

/* Some lanes wait for room to be admitted: every batch wakes the consumer when it ends. */
void lanes_wait_for_room(struct lanes *lanes, bool any);
bool lanes_any_waits_for_room(struct lanes *lanes);

#endif
