/*
 * brokers.h - whether Kafka's brokers can be reached, and what the log says about it
 *
 * The log reports once, with the reason, that no broker can be reached, and once that the outage is
 * over. It reports trouble with a single broker once, and again after a minute without trouble.
 *
 * brokers_are_down: any thread. All other functions: the consumer's thread.
 */
#ifndef WORKER_KAFKA_BROKERS_H
#define WORKER_KAFKA_BROKERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/telemetry/log.h"

/* What the log has reported and what is still true. */
enum brokers_logged { BROKERS_LOGGED_NOTHING, BROKERS_LOGGED_ONE, BROKERS_LOGGED_ALL };

struct brokers {
	struct log *log;
	const char *servers; /* as configured */
	atomic_bool down;    /* no broker can be reached */
	enum brokers_logged logged;
	char trouble[300];  /* librdkafka's last complaint about a broker */
	int64_t trouble_at; /* clock_tick_ms */
};

/* librdkafka reports that all brokers are down, or trouble with one of them. */
void brokers_all_down(struct brokers *brokers);
void brokers_trouble(struct brokers *brokers, const char *reason);
/* A broker answered. */
void brokers_up(struct brokers *brokers);
/* Logs what has changed. Call it about once a second. */
void brokers_tell(struct brokers *brokers);
bool brokers_are_down(const struct brokers *brokers);

#endif
