/*
 * producer.h - replies and dead letters on their way to Kafka
 *
 * Idempotent, acks=all, no time limit on delivery: a broker that is away holds replies back, and
 * what must survive is in the outbox. Each message carries a ticket that its lane's ledger gets
 * back when Kafka has acknowledged it. A producer that failed for good is rebuilt, and all lanes
 * are taken anew, which sends again what was in doubt.
 *
 * Any thread may send; acknowledgements arrive on the producer's own thread.
 */
#ifndef WORKER_KAFKA_PRODUCER_H
#define WORKER_KAFKA_PRODUCER_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/config/config.h"
#include "worker/kafka/outgoing.h"
#include "worker/lanes/lanes.h"
#include "worker/telemetry/log.h"
#include "worker/telemetry/metrics.h"

struct producer;

struct producer *producer_new(const struct config *config, struct lanes *lanes, struct log *log,
	struct metrics *metrics, char *error, size_t error_size)
	__attribute__((warn_unused_result));

/* The client, to ask the broker things at the start; a rebuilt producer is another one. */
rd_kafka_t *producer_client(const struct producer *producer);

/* How a message ended. */
enum sent_end {
	SENT_ACKED,
	SENT_REFUSED, /* a dead letter that Kafka will never take; such a reply is given up, as acked */
	SENT_LOST, /* it went with its producer: it may be in Kafka or not */
};

/* Whose reply this is. */
struct delivery {
	struct lane
		*lane; /* the producer takes a reference; NULL: no lane's, `done` is told instead */
	void (*done)(void *arg, enum sent_end end); /* on any thread; must not send */
	void *arg;
	uint32_t reply_generation;     /* the lane's, when it was entered there */
	struct stored_replies *stored; /* NULL: a read's reply, at read_offset */
	int64_t read_offset;
};

/* Copies the message; it leaves with the next producer_flush, or with the next round of its
 * topic. Waits while too much is held. What Kafka refuses for good: a reply is given up and
 * counted, a dead letter stops its lane. */
void producer_send(struct producer *producer, const struct outgoing *message,
	const struct delivery *delivery);

/* Lets go what was sent to topics of which nothing is on its way. */
void producer_flush(struct producer *producer);

/* The same of what has waited for that long, at the most 50 ms: for senders that have more to send
 * soon. What they hold leaves by itself within a tenth of a second and these. */
void producer_flush_gathered(struct producer *producer, int64_t gather_ms);

/* From now on no sender waits, whatever is held: what Kafka does not take before the end is in the
 * outbox, or its read is run again. */
void producer_close(struct producer *producer);

/* Waits until all is acknowledged, not beyond timeout_ms; then ends. */
void producer_free(struct producer *producer, int timeout_ms);

#endif
