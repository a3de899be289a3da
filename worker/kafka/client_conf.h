/*
 * client_conf.h - making librdkafka's configurations and clients
 */
#ifndef WORKER_KAFKA_CLIENT_CONF_H
#define WORKER_KAFKA_CLIENT_CONF_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/config/config.h"
#include "worker/telemetry/log.h"

struct kafka_default {
	const char *name; /* NULL ends a list */
	const char *value;
};

/* bootstrap.servers, these defaults, and over them the operator's kafka.properties. What must be
 * as it is, is set behind it by kafka_set. NULL: a property is refused, the error says which. */
rd_kafka_conf_t *kafka_conf(const struct config *config, const struct kafka_default *defaults,
	char *error, size_t error_size) __attribute__((warn_unused_result));

/* A client by such a configuration, which it takes in any case. NULL: librdkafka refuses the
 * properties as they are together, the error says why. */
rd_kafka_t *kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *error, size_t error_size)
	__attribute__((warn_unused_result));

/* Sets one property of ours; a refusal is a defect of ours and ends the process. */
void kafka_set(rd_kafka_conf_t *conf, const char *name, const char *value);
void kafka_set_number(rd_kafka_conf_t *conf, const char *name, long long value);

/* The opaque of every client made here: its first member is the log that librdkafka's own log
 * lines go to. */
struct kafka_opaque {
	struct log *log;
};
void kafka_set_opaque(rd_kafka_conf_t *conf, struct kafka_opaque *opaque);

#endif
