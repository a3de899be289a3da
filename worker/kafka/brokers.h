/*
 * brokers.h - whether Kafka's brokers can be reached, and what the log says of it
 *
 * That none can be is told once, with the reason, and once that it is over; trouble with one is told once,
 * and again after a minute without.
 *
 * brokers_are_down: any thread. All others: the consumer's.
 */
#ifndef WORKER_KAFKA_BROKERS_H
#define WORKER_KAFKA_BROKERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/telemetry/log.h"

/* What the log has said of them, and what holds still. */
enum brokers_told { BROKERS_TOLD_NOTHING, BROKERS_TOLD_ONE, BROKERS_TOLD_ALL };

struct brokers {
	struct log *log;
	const char *servers; /* as they are configured */
	atomic_bool down;    /* all of them */
	enum brokers_told told;
	char trouble[300];  /* what librdkafka said last of one */
	int64_t trouble_at; /* clock_tick_ms */
};

/* librdkafka has said so: all are down; or it has trouble with one. */
void brokers_all_down(struct brokers *brokers);
void brokers_trouble(struct brokers *brokers, const char *reason);
/* One has answered. */
void brokers_up(struct brokers *brokers);
/* Says what is to be said; to be called every second or so. */
void brokers_tell(struct brokers *brokers);
bool brokers_are_down(const struct brokers *brokers);

#endif
