/*
 * admin.h - a Kafka client of its own for questions: topics, their ids, offsets
 *
 * It neither produces nor consumes. So a question waits behind no fetch and no produce request, and the
 * consumer's own metadata requests are distinguished from the questions (topic_watch.h).
 */
#ifndef WORKER_KAFKA_ADMIN_H
#define WORKER_KAFKA_ADMIN_H

#include <librdkafka/rdkafka.h>
#include <stddef.h>

#include "worker/config/config.h"
#include "worker/kafka/client_conf.h"

/* NULL: librdkafka rejects a property, and `error` says which. `opaque` must outlive the client, which
 * the caller frees with rd_kafka_destroy. */
rd_kafka_t *admin_new(const struct config *config, struct kafka_opaque *opaque, char *error,
	size_t error_size) __attribute__((warn_unused_result));

#endif
