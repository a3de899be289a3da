/*
 * delivery.h - whose message the producer sends, and whom to notify when Kafka has it
 */
#ifndef WORKER_KAFKA_DELIVERY_H
#define WORKER_KAFKA_DELIVERY_H

#include <stdint.h>

#include "worker/lanes/lane.h"

/* How a message ended. */
enum sent_end {
	SENT_ACKED,
	SENT_REFUSED, /* Kafka does not take it now: send it again later */
	SENT_LOST,    /* the worker ends: the message may be in Kafka or not */
};

/* Whose message this is: a lane's reply or dead letter, or another sender's. */
struct delivery {
	struct lane *lane; /* the producer takes a reference; NULL: it calls `done` instead */
	void (*done)(void *arg, enum sent_end end); /* on any thread; must not send */
	void *arg;
	uint32_t generation;           /* of the lane's replies */
	struct stored_replies *stored; /* NULL: the reply of the read at read_offset */
	int64_t read_offset;
};

#endif
