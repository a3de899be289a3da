/*
 * check_report.h - the lines that `stowage check` prints, one for each thing it checks
 */
#ifndef WORKER_CLI_CHECK_REPORT_H
#define WORKER_CLI_CHECK_REPORT_H

#include <stdbool.h>

#include "worker/cli/cli.h"

struct check {
	struct cli *cli;
	const struct config *config;
	int status; /* exit status of the first failure; EXIT_OK while there is none */
};

void check_ok(struct check *check, const char *what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints a note, which is neither a success nor a failure. `hint` may be NULL. */
void check_note(struct check *check, const char *what, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* `status` becomes the exit status if this is the first failure. `hint` may be NULL. */
void check_failed(struct check *check, enum exit_status status, const char *what, const char *hint,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
