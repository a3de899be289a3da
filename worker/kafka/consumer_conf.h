/*
 * consumer_conf.h - the consumer's librdkafka configuration
 */
#ifndef WORKER_KAFKA_CONSUMER_CONF_H
#define WORKER_KAFKA_CONSUMER_CONF_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/config/config.h"
#include "worker/telemetry/log.h"

/* The number of partitions to assume while no broker has answered. */
#define CONSUMER_CONF_PARTITIONS_GUESS 16

/* Counts the partitions that kafka.topics may assign to this worker, by asking `client`'s broker:
 * the size of librdkafka's queues cannot change later. Returns a guess if no broker answers. */
int consumer_count_partitions(const struct config *config, rd_kafka_t *client, struct log *log);

/* Do kafka.properties choose group.protocol=consumer (KIP-848)? */
bool consumer_conf_is_new_protocol(const struct config *config);

/* Returns the configuration, without callbacks; NULL: librdkafka rejects a property, and `error`
 * says which. The caller owns it. */
rd_kafka_conf_t *consumer_conf(const struct config *config, int partitions, char *error,
	size_t error_size) __attribute__((warn_unused_result));

#endif
