/*
 * metrics.h - counters, gauges and histograms for /metrics, updated without locks
 *
 * Any thread. Values are relaxed atomics. A command's number is its index in `command_names`, and
 * COMMAND_UNKNOWN counts messages that could not be decoded.
 */
#ifndef WORKER_TELEMETRY_METRICS_H
#define WORKER_TELEMETRY_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define COMMAND_UNKNOWN (-1)

enum metric_outcome {
	OUTCOME_OK,
	OUTCOME_INVALID,
	OUTCOME_NOT_FOUND,
	OUTCOME_CONFLICT,
	OUTCOME_UNSUPPORTED,
	OUTCOME_TIMEOUT,
	OUTCOME_UNAVAILABLE,
	OUTCOME_INTERNAL,
	OUTCOME_COUNT,
};

enum metric_counter {
	METRIC_BATCHES,
	METRIC_BATCH_RETRIES, /* after a rollback, an outage or a fence */
	METRIC_BISECTIONS,
	METRIC_OPTIMISTIC_INSERT_RETRIES, /* batches whose rows already existed */
	METRIC_FENCED,                    /* lanes dropped because another worker claimed them */
	METRIC_REPEATS,                   /* commands whose idempotency key was applied before */
	METRIC_TEXT_REPAIRS,              /* texts with NUL or lone surrogates */
	METRIC_DEAD_LETTERS,
	METRIC_REPLIES,
	METRIC_REPLIES_REFUSED, /* Kafka rejected them for good */
	METRIC_REPLIES_RESENT,  /* sent from the outbox after a crash or a rebalance */
	METRIC_DATABASE_OUTAGES,
	METRIC_CONNECTS,
	METRIC_REBALANCES,
	METRIC_BUILDS,
	METRIC_BUILDS_FAILED,
	METRIC_COUNTER_COUNT,
};

enum metric_gauge {
	GAUGE_PARTITIONS,
	GAUGE_PARTITIONS_PAUSED,
	GAUGE_PARTITIONS_STOPPED,
	GAUGE_QUEUED_COMMANDS,
	GAUGE_QUEUED_BYTES,
	GAUGE_LAG, /* sum over all lanes of high watermark - next offset */
	GAUGE_POOL_SIZE,
	GAUGE_POOL_BUSY,
	GAUGE_POOL_WANTED,
	GAUGE_POOL_REFUSED, /* executors without a session, because the server refused one */
	GAUGE_REPLIES_IN_FLIGHT,
	GAUGE_BUILDS_RUNNING,
	GAUGE_OLDEST_WORK_SECONDS, /* of a batch or a detached read that still runs */
	GAUGE_COUNT,
};

enum metric_histogram {
	HISTOGRAM_BATCH_COMMANDS,
	HISTOGRAM_BATCH_SECONDS, /* from the first statement to the commit */
	HISTOGRAM_AGE_SECONDS,   /* from a command's timestamp to its commit */
	HISTOGRAM_COUNT,
};

struct metrics;

/* `command_names` must outlive the metrics. */
struct metrics *metrics_new(const char *const *command_names, size_t command_count);
void metrics_free(struct metrics *metrics);

void metrics_command(struct metrics *metrics, int command, enum metric_outcome outcome);
void metrics_add(struct metrics *metrics, enum metric_counter counter, uint64_t n);
void metrics_gauge(struct metrics *metrics, enum metric_gauge gauge, int64_t value);
void metrics_gauge_add(struct metrics *metrics, enum metric_gauge gauge, int64_t delta);
void metrics_observe(struct metrics *metrics, enum metric_histogram histogram, double value);

/* Prints all metrics and the process's memory in the Prometheus text exposition format 0.0.4. */
void metrics_print(const struct metrics *metrics, FILE *out);

#endif
