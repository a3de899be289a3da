/* admin.c - makes the client that asks brokers */
#include "worker/kafka/admin.h"

/* The consumer reports trouble with brokers. */
static void admin_on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
	const struct kafka_opaque *o = opaque;
	(void)rk;
	log_debug(o->log, "admin client", LOG_STR("error", rd_kafka_err2name(error)),
		LOG_STR("reason", reason));
}

rd_kafka_t *admin_new(const struct config *config, struct kafka_opaque *opaque, char *error,
	size_t error_size)
{
	static const struct kafka_default defaults[] = {
		/* Partitions wait for its answers: after an outage it is back as soon as a broker. */
		{ "reconnect.backoff.max.ms", "1000" },
		{ NULL, NULL },
	};
	rd_kafka_conf_t *conf = kafka_conf(config, defaults, error, error_size);
	if (!conf)
		return NULL;
	kafka_set(conf, "allow.auto.create.topics", "false");
	kafka_set_opaque(conf, opaque);
	rd_kafka_conf_set_error_cb(conf, admin_on_error);
	return kafka_new(RD_KAFKA_PRODUCER, conf, error, error_size);
}
