/*
 * consumer.h - the Kafka consumer: group, assignment, and filling the lanes
 *
 * Each partition is read from a queue of its own, and only while its lane has room: what is not
 * read stays with librdkafka, which then stops fetching for that partition alone. So a full lane
 * holds up no other, and nothing is fetched twice.
 *
 * All of it runs on the thread that calls consumer_run.
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

/* `client`, any other client, is asked once how many partitions there are. */
struct consumer *consumer_new(const struct config *config, rd_kafka_t *client, struct lanes *lanes,
	struct log *log, struct metrics *metrics, char *error, size_t error_size)
	__attribute__((warn_unused_result));

/* The client, to ask the broker things. */
rd_kafka_t *consumer_client(const struct consumer *consumer);

/* Joins the group and works until `stop` is set and lanes_wake is called. False: a fatal error,
 * which is in the log. */
bool consumer_run(struct consumer *consumer, const atomic_bool *stop);

/* Finishes the batches in hand, within the bound; leaves the group. Then all lanes are gone. */
void consumer_leave(struct consumer *consumer);
void consumer_free(struct consumer *consumer);

/* Can the brokers be reached, are partitions assigned? For /readyz, from any thread. */
bool consumer_is_ready(const struct consumer *consumer, char *why, size_t size);

#endif
