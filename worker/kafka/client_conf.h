/*
 * client_conf.h - librdkafka configurations and clients
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

/* Returns a configuration with bootstrap.servers, these defaults and, overriding them, the
 * operator's kafka.properties. kafka_set then sets what the operator may not change. NULL:
 * librdkafka rejects a property, and `error` says which. The caller owns the configuration. */
rd_kafka_conf_t *kafka_conf(const struct config *config, const struct kafka_default *defaults,
	char *error, size_t error_size) __attribute__((warn_unused_result));

/* Makes a client and takes the configuration over, also on failure. NULL: librdkafka rejects the
 * combination of properties, and `error` says why. */
rd_kafka_t *kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *error, size_t error_size)
	__attribute__((warn_unused_result));

/* Sets one property. A rejection is a defect of Stowage and ends the process. */
void kafka_set(rd_kafka_conf_t *conf, const char *name, const char *value);
void kafka_set_number(rd_kafka_conf_t *conf, const char *name, long long value);

/* The opaque of every client: librdkafka's own log lines go to its log. */
struct kafka_opaque {
	struct log *log;
};
void kafka_set_opaque(rd_kafka_conf_t *conf, struct kafka_opaque *opaque);

#endif
