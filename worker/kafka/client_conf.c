/* client_conf.c - makes librdkafka configurations and clients, and routes librdkafka's log */
#include "worker/kafka/client_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The numbers of syslog, which librdkafka uses. syslog.h itself has names that clash with
 * log.h's. */
enum { SYSLOG_CRITICAL = 2, SYSLOG_WARNING = 4 };

static bool set_property(rd_kafka_conf_t *conf, const char *property, char *error,
	size_t error_size)
{
	char name[128], reason[384];
	const char *equals = strchr(property, '=');
	size_t length = equals ? (size_t)(equals - property) : 0;
	if (length == 0 || length >= sizeof(name)) {
		snprintf(error, error_size, "kafka.properties: \"%.100s\" is not name=value",
			property);
		return false;
	}
	snprintf(name, sizeof(name), "%.*s", (int)length, property);
	if (rd_kafka_conf_set(conf, name, equals + 1, reason, sizeof(reason)) == RD_KAFKA_CONF_OK)
		return true;
	snprintf(error, error_size, "kafka.properties: %s: %s", name, reason);
	return false;
}

rd_kafka_conf_t *kafka_conf(const struct config *config, const struct kafka_default *defaults,
	char *error, size_t error_size)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	kafka_set(conf, "bootstrap.servers", config->kafka.bootstrap_servers);
	kafka_set(conf, "client.id", "stowage");
	for (; defaults->name; defaults++)
		kafka_set(conf, defaults->name, defaults->value);
	for (size_t i = 0; i < config->kafka.properties.count; i++) {
		if (!set_property(conf, config->kafka.properties.items[i], error, error_size)) {
			rd_kafka_conf_destroy(conf);
			return NULL;
		}
	}
	return conf;
}

rd_kafka_t *kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *error, size_t error_size)
{
	char reason[384];
	rd_kafka_t *rk = rd_kafka_new(type, conf, reason, sizeof(reason));
	if (rk)
		return rk;
	rd_kafka_conf_destroy(conf);
	reason[strcspn(reason, "\n")] = '\0';
	snprintf(error, error_size, "kafka.properties: %s", reason);
	return NULL;
}

void kafka_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char reason[512];
	if (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) == RD_KAFKA_CONF_OK)
		return;
	fprintf(stderr, "stowage: librdkafka %s refuses %s=%s: %s\n", rd_kafka_version_str(), name,
		value, reason);
	abort();
}

void kafka_set_number(rd_kafka_conf_t *conf, const char *name, long long value)
{
	char text[32];
	snprintf(text, sizeof(text), "%lld", value);
	kafka_set(conf, name, text);
}

/* Warnings that tell nothing new, or nothing at all. */
static bool is_noise(const char *facility, const char *line)
{
	static const char *const facilities[] = {
		/* Every connection of every client repeats this about an unreachable broker. The error
		 * callback reports it too, and the consumer logs it from there. */
		"FAIL",
		/* Repeated while a right is missing. It is among the group's events, too. */
		"HEARTBEAT",
		/* A partition was revoked while the report of an error waited in its queue. */
		"PARTDEL",
	};
	for (size_t i = 0; i < sizeof(facilities) / sizeof(facilities[0]); i++)
		if (strcmp(facility, facilities[i]) == 0)
			return true;
	/* kafka.properties go to the consumer and the producer: each ignores the other's. */
	return strcmp(facility, "CONFWARN") == 0 && strstr(line, "will be ignored by this");
}

static void log_line(const rd_kafka_t *rk, int level, const char *facility, const char *line)
{
	const struct kafka_opaque *opaque = rk ? rd_kafka_opaque(rk) : NULL;
	if (!opaque)
		return;
	enum log_level ours = level <= SYSLOG_CRITICAL ? LOG_ERROR
		: level <= SYSLOG_WARNING              ? LOG_WARN
						       : LOG_DEBUG;
	if (ours == LOG_WARN && is_noise(facility, line))
		ours = LOG_DEBUG;
	log_at(opaque->log, ours, "librdkafka", LOG_STR("client", rd_kafka_name(rk)),
		LOG_STR("facility", facility), LOG_STR("text", line));
}

void kafka_set_opaque(rd_kafka_conf_t *conf, struct kafka_opaque *opaque)
{
	rd_kafka_conf_set_opaque(conf, opaque);
	rd_kafka_conf_set_log_cb(conf, log_line);
}
