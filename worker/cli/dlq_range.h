/*
 * dlq_range.h - the options that select dead letters
 */
#ifndef WORKER_CLI_DLQ_RANGE_H
#define WORKER_CLI_DLQ_RANGE_H

#include "worker/cli/cli.h"
#include "worker/client/dlq.h"

/* Rows for the options of a command. */
#define DLQ_RANGE_OPTIONS \
	{ "topic", "TOPIC", "the command topic or its dead-letter topic; default: all topics" }, \
		{ "partition", "N", "only this partition of the dead-letter topic" }, \
		{ "from", "OFFSET", "offset of the first dead letter" }, \
		{ "to", "OFFSET", "offset of the last dead letter" }

/* Reads --topic, --partition, --from, --to and --limit, if the command declares them. Returns false
 * after it printed a usage error. */
bool dlq_range_read(struct cli *cli, struct dlq_range *range) __attribute__((warn_unused_result));

#endif
