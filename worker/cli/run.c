/*
 * run.c - `stowage run`: runs the worker
 */
#include <unistd.h>

#include "worker/cli/cli.h"
#include "worker/process/worker.h"
#include "worker/telemetry/log.h"

static int run_with(const struct config *config)
{
	struct log *log = log_new(config->log.level, config->log.format, STDERR_FILENO);
	int status = worker_run(config, log);

	log_free(log);
	return status;
}

/* After RUN_AGAIN a configuration with mistakes is not used: the previous one goes on. */
static int run_worker(struct cli *cli)
{
	int status;

	if (!cli_config(cli))
		return EXIT_CONFIG;
	while ((status = run_with(cli_config(cli))) == RUN_AGAIN)
		if (!cli_reload_config(cli))
			cli_error(cli, "correct the mistakes above, then send SIGHUP again",
				"the configuration can't be read: the previous one stays in use");
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
