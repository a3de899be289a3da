/*
 * metrics.c - metrics as relaxed atomics, and their output for Prometheus
 */
#include "worker/telemetry/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schemas/base/alloc.h"

#define BUCKETS_MAX 16

struct metric_text {
	const char *name; /* without the prefix */
	const char *help;
};

static const struct metric_text counter_texts[METRIC_COUNTER_COUNT] = {
	[METRIC_BATCHES] = { "batches_total", "Batches committed." },
	[METRIC_BATCH_RETRIES] = { "batch_retries_total",
		"Batches retried after a rollback, a database outage or a fence." },
	[METRIC_BISECTIONS] = { "bisections_total",
		"Times the worker split a failed batch in two to find the command that failed." },
	[METRIC_OPTIMISTIC_INSERT_RETRIES] = { "optimistic_insert_retries_total",
		"Batches retried because rows assumed to be new already existed." },
	[METRIC_FENCED] = { "fenced_partitions_total",
		"Partitions dropped because another worker claimed them." },
	[METRIC_REPEATS] = { "repeated_commands_total",
		"Commands answered from their idempotency keys, without applying them again." },
	[METRIC_TEXT_REPAIRS] = { "text_repairs_total",
		"Texts repaired because they contained NUL or lone surrogates." },
	[METRIC_DEAD_LETTERS] = { "dead_letters_total", "Messages sent to a dead-letter topic." },
	[METRIC_REPLIES] = { "replies_total", "Replies acknowledged by Kafka." },
	[METRIC_REPLIES_REFUSED] = { "replies_refused_total",
		"Replies that Kafka rejected for good." },
	[METRIC_REPLIES_RESENT] = { "replies_resent_total",
		"Replies sent again from the outbox after a crash or a rebalance." },
	[METRIC_DATABASE_OUTAGES] = { "database_outages_total",
		"Times commands waited because the database was unavailable." },
	[METRIC_CONNECTS] = { "database_connects_total", "Database connections opened." },
	[METRIC_REBALANCES] = { "rebalances_total", "Changes of the assigned partitions." },
	[METRIC_BUILDS] = { "index_builds_total", "Vector indexes built." },
	[METRIC_BUILDS_FAILED] = { "index_builds_failed_total",
		"Vector indexes that could not be built." },
};

static const struct metric_text gauge_texts[GAUGE_COUNT] = {
	[GAUGE_PARTITIONS] = { "partitions", "Partitions assigned to this worker." },
	[GAUGE_PARTITIONS_PAUSED] = { "partitions_paused",
		"Partitions that are currently paused." },
	[GAUGE_PARTITIONS_STOPPED] = { "partitions_stopped",
		"Partitions that stopped and need an operator." },
	[GAUGE_QUEUED_COMMANDS] = { "queued_commands", "Commands fetched but not yet committed." },
	[GAUGE_QUEUED_BYTES] = { "queued_bytes",
		"Bytes of commands fetched but not yet committed." },
	[GAUGE_LAG] = { "lag", "Messages in the assigned partitions that are not applied yet." },
	[GAUGE_POOL_SIZE] = { "pool_connections", "Open database connections." },
	[GAUGE_POOL_BUSY] = { "pool_connections_busy", "Database connections in use." },
	[GAUGE_POOL_WANTED] = { "pool_connections_wanted",
		"Database connections that the worker may open: postgres.max." },
	[GAUGE_POOL_REFUSED] = { "pool_connections_refused",
		"Database connections that the server refused; the worker tries again slowly." },
	[GAUGE_REPLIES_IN_FLIGHT] = { "replies_in_flight",
		"Replies that Kafka has not acknowledged yet." },
	[GAUGE_BUILDS_RUNNING] = { "index_builds_running",
		"Vector indexes that this worker is building." },
	[GAUGE_OLDEST_WORK_SECONDS] = { "oldest_work_seconds",
		"Seconds since the oldest batch or detached read that still runs began." },
};

struct histogram_text {
	struct metric_text text;
	double bounds[BUCKETS_MAX]; /* ascending; 0 ends the list; +Inf is implied */
};

static const struct histogram_text histogram_texts[HISTOGRAM_COUNT] = {
	[HISTOGRAM_BATCH_COMMANDS] = { { "batch_commands", "Commands per batch." },
		{ 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000 } },
	[HISTOGRAM_BATCH_SECONDS] = { { "batch_seconds",
					      "Duration of a batch from its first statement to its commit." },
		{ .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10 } },
	[HISTOGRAM_AGE_SECONDS] = { { "command_age_seconds",
					    "Time from a command's timestamp to its commit." },
		{ .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60, 600, 3600 } },
};

static const char *const outcome_names[OUTCOME_COUNT] = {
	[OUTCOME_OK] = "ok",
	[OUTCOME_INVALID] = "invalid",
	[OUTCOME_NOT_FOUND] = "not_found",
	[OUTCOME_CONFLICT] = "conflict",
	[OUTCOME_UNSUPPORTED] = "unsupported",
	[OUTCOME_TIMEOUT] = "timeout",
	[OUTCOME_UNAVAILABLE] = "unavailable",
	[OUTCOME_INTERNAL] = "internal",
};

struct histogram {
	atomic_uint_fast64_t
		buckets[BUCKETS_MAX + 1]; /* not cumulative; metrics_print adds them up */
	_Atomic uint64_t sum_bits;        /* a double's bits */
};

struct metrics {
	const char *const *command_names;
	size_t command_count;
	atomic_uint_fast64_t counters[METRIC_COUNTER_COUNT];
	atomic_int_fast64_t gauges[GAUGE_COUNT];
	struct histogram histograms[HISTOGRAM_COUNT];
	atomic_uint_fast64_t commands[]; /* OUTCOME_COUNT per command, COMMAND_UNKNOWN last */
};

struct metrics *metrics_new(const char *const *command_names, size_t command_count)
{
	struct metrics *metrics = alloc_zero(1,
		sizeof(*metrics) +
			(command_count + 1) * OUTCOME_COUNT * sizeof(metrics->commands[0]));

	metrics->command_names = command_names;
	metrics->command_count = command_count;
	return metrics;
}

void metrics_free(struct metrics *metrics)
{
	free(metrics);
}

void metrics_command(struct metrics *metrics, int command, enum metric_outcome outcome)
{
	size_t row = command == COMMAND_UNKNOWN ? metrics->command_count : (size_t)command;

	atomic_fetch_add_explicit(&metrics->commands[row * OUTCOME_COUNT + outcome], 1,
		memory_order_relaxed);
}

void metrics_add(struct metrics *metrics, enum metric_counter counter, uint64_t n)
{
	atomic_fetch_add_explicit(&metrics->counters[counter], n, memory_order_relaxed);
}

void metrics_gauge(struct metrics *metrics, enum metric_gauge gauge, int64_t value)
{
	atomic_store_explicit(&metrics->gauges[gauge], value, memory_order_relaxed);
}

void metrics_gauge_add(struct metrics *metrics, enum metric_gauge gauge, int64_t delta)
{
	atomic_fetch_add_explicit(&metrics->gauges[gauge], delta, memory_order_relaxed);
}

static double bits_to_double(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static uint64_t double_to_bits(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static size_t bucket_count(enum metric_histogram histogram)
{
	const double *bounds = histogram_texts[histogram].bounds;
	size_t count = 0;

	while (count < BUCKETS_MAX && bounds[count] > 0)
		count++;
	return count;
}

void metrics_observe(struct metrics *metrics, enum metric_histogram histogram, double value)
{
	struct histogram *h = &metrics->histograms[histogram];
	const double *bounds = histogram_texts[histogram].bounds;
	size_t count = bucket_count(histogram);
	size_t bucket = 0;
	uint64_t old, new;

	while (bucket < count && value > bounds[bucket])
		bucket++;
	atomic_fetch_add_explicit(&h->buckets[bucket], 1, memory_order_relaxed);
	old = atomic_load_explicit(&h->sum_bits, memory_order_relaxed);
	do {
		new = double_to_bits(bits_to_double(old) + value);
	} while (!atomic_compare_exchange_weak_explicit(&h->sum_bits, &old, new,
		memory_order_relaxed, memory_order_relaxed));
}

static void metrics_print_head(FILE *out, const struct metric_text *text, const char *type)
{
	fprintf(out, "# HELP stowage_%s %s\n# TYPE stowage_%s %s\n", text->name, text->help,
		text->name, type);
}

static void metrics_print_value(FILE *out, const struct metric_text *text, const char *type,
	int64_t value)
{
	metrics_print_head(out, text, type);
	fprintf(out, "stowage_%s %lld\n", text->name, (long long)value);
}

/* Omits pairs with count 0, because most commands have only one outcome. */
static void print_commands(const struct metrics *metrics, FILE *out)
{
	static const struct metric_text text = { "commands_total",
		"Commands finished, by name and outcome." };

	metrics_print_head(out, &text, "counter");
	for (size_t i = 0; i <= metrics->command_count; i++) {
		const char *name = i < metrics->command_count ? metrics->command_names[i]
							      : "unknown";

		for (size_t outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
			uint64_t n = atomic_load_explicit(&metrics->commands[i * OUTCOME_COUNT +
								  outcome],
				memory_order_relaxed);

			if (n > 0)
				fprintf(out, "stowage_%s{command=\"%s\",outcome=\"%s\"} %llu\n",
					text.name, name, outcome_names[outcome],
					(unsigned long long)n);
		}
	}
}

static void print_histogram(const struct metrics *metrics, enum metric_histogram histogram,
	FILE *out)
{
	const struct histogram *h = &metrics->histograms[histogram];
	const struct histogram_text *row = &histogram_texts[histogram];
	const char *name = row->text.name;
	size_t count = bucket_count(histogram);
	unsigned long long total = 0;

	metrics_print_head(out, &row->text, "histogram");
	for (size_t i = 0; i < count; i++) {
		total += atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
		fprintf(out, "stowage_%s_bucket{le=\"%g\"} %llu\n", name, row->bounds[i], total);
	}
	total += atomic_load_explicit(&h->buckets[count], memory_order_relaxed);
	fprintf(out, "stowage_%s_bucket{le=\"+Inf\"} %llu\n", name, total);
	fprintf(out, "stowage_%s_sum %.15g\n", name,
		bits_to_double(atomic_load_explicit(&h->sum_bits, memory_order_relaxed)));
	fprintf(out, "stowage_%s_count %llu\n", name, total);
}

/* Second number of /proc/self/statm (proc(5)): resident pages. 0 where there is no /proc. */
static int64_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long long total = 0, resident = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lld %lld", &total, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * sysconf(_SC_PAGESIZE);
}

void metrics_print(const struct metrics *metrics, FILE *out)
{
	static const struct metric_text memory = { "resident_memory_bytes",
		"Resident memory of the process." };

	print_commands(metrics, out);
	for (size_t i = 0; i < METRIC_COUNTER_COUNT; i++)
		metrics_print_value(out, &counter_texts[i], "counter",
			(int64_t)atomic_load_explicit(&metrics->counters[i], memory_order_relaxed));
	for (size_t i = 0; i < GAUGE_COUNT; i++)
		metrics_print_value(out, &gauge_texts[i], "gauge",
			(int64_t)atomic_load_explicit(&metrics->gauges[i], memory_order_relaxed));
	for (size_t i = 0; i < HISTOGRAM_COUNT; i++)
		print_histogram(metrics, i, out);
	metrics_print_value(out, &memory, "gauge", resident_bytes());
}
