/*
 * run.c - `stowage run`
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
	.summary = "run the worker until it is told to stop",
	.usage = "",
	.help = "Reads commands from Kafka, applies them to PostgreSQL, replies. Missing tables are made\n"
		"first, unless postgres.disableInit is set. Logs to standard error.\n\n"
		"SIGTERM or SIGINT: finishes the batches in hand, delivers the replies, leaves the group\n"
		"and ends; a second one ends at once. Nothing is lost by either.",
	.options = NULL,
	.run = run_worker,
};
