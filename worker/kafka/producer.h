/*
 * producer.h - sends replies and dead letters to Kafka
 *
 * The producer is idempotent, with acks=all and no time limit on delivery: while a broker is away
 * it holds messages back, and what must survive is in the outbox. Each message carries a delivery,
 * with which the producer reports to the message's lane that Kafka has acknowledged it. After a
 * fatal error another client takes over what was in doubt.
 *
 * What Kafka refuses for a reason that can pass (a missing right, a missing topic, no leader) waits
 * and goes again; the log says so when it begins and when it is over. A message is refused for good
 * only if the broker refuses it alone.
 *
 * Any thread may send; acknowledgements arrive on the producer's own thread.
 */
#ifndef WORKER_KAFKA_PRODUCER_H
#define WORKER_KAFKA_PRODUCER_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/config/config.h"
#include "worker/kafka/delivery.h"
#include "worker/kafka/outgoing.h"
#include "worker/lanes/lanes.h"
#include "worker/telemetry/log.h"
#include "worker/telemetry/metrics.h"

struct producer;

/* The configuration of its clients, without callbacks; NULL: librdkafka rejects a property, and `error` says
 * which. The caller owns it. */
rd_kafka_conf_t *producer_conf(const struct config *config, char *error, size_t error_size)
	__attribute__((warn_unused_result));

struct producer *producer_new(const struct config *config, struct lanes *lanes, struct log *log,
	struct metrics *metrics, char *error, size_t error_size)
	__attribute__((warn_unused_result));

/* Copies the message. It leaves with the next producer_flush, or with its partition's next round. While
 * that partition holds too many bytes, the message's lane runs no further batch. If Kafka refuses the
 * message for good, a reply is given up and counted. A dead letter goes without its value then; while
 * Kafka takes it neither way, its lane is stopped. */
void producer_send(struct producer *producer, const struct outgoing *message,
	const struct delivery *delivery);

/* Sends every message of an outbox payload; all have the same delivery. Returns their number; it
 * leaves out what follows an unreadable message. */
size_t producer_send_stored(struct producer *producer, const void *payload, size_t size,
	const struct delivery *delivery);

/* Sends what is held for topics that have nothing in flight. */
void producer_flush(struct producer *producer);

/* Sends what has been held for gather_ms, up to 50 ms: for senders that have more to send soon.
 * What they hold leaves by itself within 100 ms more. */
void producer_flush_gathered(struct producer *producer, int64_t gather_ms);

/* For /readyz: does the cluster take messages? If not, `why` says why. */
bool producer_is_ready(struct producer *producer, char *why, size_t size);

/* Waits up to timeout_ms for acknowledgements, then ends. */
void producer_free(struct producer *producer, int timeout_ms);

#endif
