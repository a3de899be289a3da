/*
 * metrics.c - tests of worker/telemetry/metrics.c
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "worker/telemetry/metrics.h"

/* Not inlined: gcc 12 would warn that the stream's text is the address of a local variable. */
__attribute__((noinline)) static char *printed(const struct metrics *metrics)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	metrics_print(metrics, out);
	fclose(out);
	return text;
}

static void has_line(const char *text, const char *line)
{
	const char *found = strstr(text, line);

	cr_assert(found && (found == text || found[-1] == '\n') && found[strlen(line)] == '\n',
		"no line \"%s\" in:\n%s", line, text);
}

Test(metrics, commands_by_name_and_outcome)
{
	struct metrics *metrics = metrics_new(command_names, command_count);
	int ping = command_find("storage.ping", strlen("storage.ping"));
	char *text;

	metrics_command(metrics, ping, OUTCOME_OK);
	metrics_command(metrics, ping, OUTCOME_OK);
	metrics_command(metrics, ping, OUTCOME_TIMEOUT);
	metrics_command(metrics, COMMAND_UNKNOWN, OUTCOME_INVALID);
	text = printed(metrics);
	has_line(text, "stowage_commands_total{command=\"storage.ping\",outcome=\"ok\"} 2");
	has_line(text, "stowage_commands_total{command=\"storage.ping\",outcome=\"timeout\"} 1");
	has_line(text, "stowage_commands_total{command=\"unknown\",outcome=\"invalid\"} 1");
	cr_assert_null(strstr(text, "outcome=\"conflict\""));
	free(text);
	metrics_free(metrics);
}

Test(metrics, counters_and_gauges)
{
	struct metrics *metrics = metrics_new(NULL, 0);
	char *text;

	metrics_add(metrics, METRIC_DEAD_LETTERS, 3);
	metrics_add(metrics, METRIC_DEAD_LETTERS, 4);
	metrics_gauge(metrics, GAUGE_LAG, 10);
	metrics_gauge_add(metrics, GAUGE_LAG, -3);
	metrics_gauge_add(metrics, GAUGE_POOL_BUSY, -1);
	text = printed(metrics);
	has_line(text, "stowage_dead_letters_total 7");
	has_line(text, "# TYPE stowage_dead_letters_total counter");
	has_line(text, "stowage_lag 7");
	has_line(text, "# TYPE stowage_lag gauge");
	has_line(text, "stowage_pool_connections_busy -1");
	cr_assert_not_null(strstr(text, "\nstowage_resident_memory_bytes "));
	cr_assert(atoll(strstr(text, "\nstowage_resident_memory_bytes ") + 31) > 100000);
	free(text);
	metrics_free(metrics);
}

Test(metrics, every_metric_has_name_and_help)
{
	struct metrics *metrics = metrics_new(NULL, 0);
	char *text = printed(metrics);

	cr_assert_null(strstr(text, "(null)"));
	metrics_free(metrics);
	free(text);
}

Test(metrics, histograms_are_cumulative)
{
	struct metrics *metrics = metrics_new(NULL, 0);
	char *text;

	metrics_observe(metrics, HISTOGRAM_BATCH_COMMANDS, 1);
	metrics_observe(metrics, HISTOGRAM_BATCH_COMMANDS, 3);
	metrics_observe(metrics, HISTOGRAM_BATCH_COMMANDS, 1000000);
	text = printed(metrics);
	has_line(text, "stowage_batch_commands_bucket{le=\"1\"} 1");
	has_line(text, "stowage_batch_commands_bucket{le=\"2\"} 1");
	has_line(text, "stowage_batch_commands_bucket{le=\"5\"} 2");
	has_line(text, "stowage_batch_commands_bucket{le=\"10000\"} 2");
	has_line(text, "stowage_batch_commands_bucket{le=\"+Inf\"} 3");
	has_line(text, "stowage_batch_commands_sum 1000004");
	has_line(text, "stowage_batch_commands_count 3");
	free(text);
	metrics_free(metrics);
}

#define COUNTS 20000

static void *count(void *arg)
{
	struct metrics *metrics = arg;

	for (int i = 0; i < COUNTS; i++) {
		metrics_add(metrics, METRIC_BATCHES, 1);
		metrics_observe(metrics, HISTOGRAM_AGE_SECONDS, 1);
	}
	return NULL;
}

Test(metrics, threads_lose_no_count)
{
	struct metrics *metrics = metrics_new(NULL, 0);
	pthread_t threads[4];
	char *text;

	for (size_t i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, count, metrics), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	text = printed(metrics);
	has_line(text, "stowage_batches_total 80000");
	has_line(text, "stowage_command_age_seconds_sum 80000");
	has_line(text, "stowage_command_age_seconds_count 80000");
	free(text);
	metrics_free(metrics);
}
