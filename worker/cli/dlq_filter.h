/*
 * dlq_filter.h - the options of `stowage dlq` that select dead letters by what they hold
 */
#ifndef WORKER_CLI_DLQ_FILTER_H
#define WORKER_CLI_DLQ_FILTER_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/cli/cli.h"
#include "worker/client/codec.h"

struct dlq_filter {
	const char *code;     /* error code; NULL: any */
	const char *command;  /* NULL: any */
	int64_t since, until; /* milliseconds since 1970; -1: no limit */
};

/* The rows for the `options` of a command. */
#define DLQ_FILTER_OPTIONS \
	{ "code", "CODE", "only dead letters with this error code" }, \
		{ "command", "NAME", "only this command, such as memory.saveThread" }, \
		{ "since", "TIME", \
			"only those that failed at this time or later:\n" \
			"2026-03-01T09:00:00Z" }, \
		{ "until", "TIME", "only those that failed before this time" }

/* Reads the options. Returns false after it printed a usage error. */
bool dlq_filter_read(struct cli *cli, struct dlq_filter *filter)
	__attribute__((warn_unused_result));

bool dlq_filter_matches(const struct dlq_filter *filter, const struct codec *codec,
	const rd_kafka_message_t *message);

#endif
