/*
 * run.c - `stowage run`: runs the worker
 */
#include <unistd.h>

#include "worker/cli/cli.h"
#include "worker/process/worker.h"
#include "worker/telemetry/log.h"

static int run_worker(struct cli *cli)
{
	const struct config *config = cli_config(cli);
	struct log *log;
	int status;

	if (!config)
		return EXIT_CONFIG;
	log = log_new(config->log.level, config->log.format, STDERR_FILENO);
	status = worker_run(config, log);
	log_free(log);
	return status;
}

const struct cli_command cli_run = {
	.name = "run",
	.summary = "run the worker until a signal stops it",
	.usage = "",
	.help = "Reads commands from Kafka, applies them to PostgreSQL and sends replies. First it creates\n"
		"missing tables, unless postgres.disableInit is set. Logs to standard error.\n\n"
		"On SIGTERM or SIGINT the worker finishes running batches, delivers their replies, leaves\n"
		"the consumer group and exits. A second signal ends it at once. Neither loses commands.",
	.options = NULL,
	.run = run_worker,
};
