/*
 * check.h - the parts of `stowage check`, each printing a line for what it looked at
 */
#ifndef WORKER_CLI_CHECK_H
#define WORKER_CLI_CHECK_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "worker/cli/cli.h"

struct check {
	struct cli *cli;
	const struct config *config;
	int status; /* of the first failure; EXIT_OK while there is none */
};

void check_ok(struct check *check, const char *what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Neither good nor bad; hint may be NULL. */
void check_note(struct check *check, const char *what, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* `status` is what the program ends with if this is the first failure. */
void check_failed(struct check *check, enum exit_status status, const char *what, const char *hint,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Connection, TLS, server, pgvector, tables, then the statements. */
void check_database(struct check *check);
/* Every statement is prepared and its columns held against its reply. */
void check_statements(struct check *check, PGconn *conn);
/* Brokers, command topics, dead-letter and reply topics. */
void check_kafka(struct check *check);

#endif
