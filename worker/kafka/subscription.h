/*
 * subscription.h - keeps the consumer subscribed to the topics of kafka.topics
 *
 * With the classic group protocol librdkafka matches patterns. With group.protocol=consumer the brokers would
 * match them, by other rules and dead-letter topics too. So then the subscription lists the topics that match
 * now, and looks for new ones as often as librdkafka refreshes its metadata.
 *
 * Consumer's thread.
 */
#ifndef WORKER_KAFKA_SUBSCRIPTION_H
#define WORKER_KAFKA_SUBSCRIPTION_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "worker/config/config.h"
#include "worker/telemetry/log.h"

struct subscription;

/* Borrows everything. `admin` asks for topics. */
struct subscription *subscription_new(const struct config *config, rd_kafka_t *consumer,
	rd_kafka_t *admin, struct log *log);
void subscription_free(struct subscription *subscription);

/* Subscribes for the first time. False after an error, which it logs. */
bool subscription_start(struct subscription *subscription) __attribute__((warn_unused_result));

/* Subscribes to topics found since. Call it about once a second while brokers can be reached. */
void subscription_serve(struct subscription *subscription);

#endif
