/*
 * dlq_range.h - the options that choose dead letters
 */
#ifndef WORKER_CLI_DLQ_RANGE_H
#define WORKER_CLI_DLQ_RANGE_H

#include "worker/cli/cli.h"
#include "worker/client/dlq.h"

/* Reads --topic, --partition, --from, --to and --limit, as far as the command has them. Returns
 * false after a usage error. */
bool dlq_range_read(struct cli *cli, struct dlq_range *range) __attribute__((warn_unused_result));

#endif
