/*
 * exit_status.h - the exit statuses of the program
 *
 * `stowage --help` explains them from a table in worker/cli/help.c.
 */
#ifndef WORKER_CONFIG_EXIT_STATUS_H
#define WORKER_CONFIG_EXIT_STATUS_H

enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_CONFIG = 3,
	EXIT_DATABASE = 4,
	EXIT_KAFKA = 5,
	EXIT_REFUSED = 6,   /* the worker answered a command with an error */
	EXIT_NO_ANSWER = 7, /* no reply arrived before the timeout */
	EXIT_FENCED = 8,    /* another process has this worker's group.instance.id */
};

/* Not a status of the process: the worker is to run again, with the configuration as it is now. */
#define RUN_AGAIN (-1)

#endif
