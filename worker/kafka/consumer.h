/*
 * consumer.h - the Kafka consumer: joins the group, and fills the lanes of assigned partitions
 *
 * Each partition has a queue of its own, which the consumer reads only while the lane has room.
 * Messages that it does not read stay with librdkafka, which then stops fetching that partition
 * alone. So a full lane delays no other lane, and nothing is fetched twice.
 *
 * Everything runs on the thread that calls consumer_run, unless a comment says otherwise.
 */
#ifndef WORKER_KAFKA_CONSUMER_H
#define WORKER_KAFKA_CONSUMER_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "worker/config/config.h"
#include "worker/lanes/lanes.h"
#include "worker/telemetry/log.h"
#include "worker/telemetry/metrics.h"

struct consumer;

/* Borrows the client `admin`, which it asks about topics and polls. NULL on failure, with `error`. */
struct consumer *consumer_new(const struct config *config, rd_kafka_t *admin, struct lanes *lanes,
	struct log *log, struct metrics *metrics, char *error, size_t error_size)
	__attribute__((warn_unused_result));

/* Why consumer_run ended; it logs a failure. */
enum consumer_end {
	CONSUMER_STOPPED,
	CONSUMER_FENCED, /* another process is this member (group.instance.id) */
	CONSUMER_FAILED,
};

/* Joins the group and serves it until `stop` is set and lanes_wake is called, or a fatal error ends it. */
enum consumer_end consumer_run(struct consumer *consumer, const atomic_bool *stop);

/* Lets running batches finish, within limits.shutdownTimeoutMillis, and leaves the group. No lane
 * is left then. */
void consumer_leave(struct consumer *consumer);
/* librdkafka's threads touch the lanes no longer, so they may be freed before the consumer. NULL is none. */
void consumer_detach(struct consumer *consumer);
void consumer_free(struct consumer *consumer);

/* For /readyz: can a broker be reached, and are partitions assigned and started? If not, `why` says
 * so. Any thread. */
bool consumer_is_ready(const struct consumer *consumer, char *why, size_t size);

#endif
