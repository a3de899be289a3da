/*
 * attempt.h - one attempt at a batch: what transaction.c and group.c share
 *
 * For the executor's thread.
 */
#ifndef WORKER_ENGINE_ATTEMPT_H
#define WORKER_ENGINE_ATTEMPT_H

#include "worker/engine/transaction.h"

struct attempt {
	struct transaction *transaction;
	struct batch *batch;
	struct db_failure *failure;
	bool spent; /* the failed statement ran out of its budget */
};

/* Is the batch's transaction open? */
bool attempt_is_open(const struct attempt *attempt);

/* Sends a statement without parameters. */
void attempt_send(struct attempt *attempt, const char *sql);

/* Waits for the results of all statements; their callbacks run. */
enum db_kind attempt_drain(struct attempt *attempt) __attribute__((warn_unused_result));

/* The statements from now on belong to commands of which the earliest deadline is this one; 0: none. */
void attempt_limit(struct attempt *attempt, int64_t deadline_ms);

/* Did a command (or a table named by a client) cause the failure, rather than a broken installation? */
bool attempt_is_command_failure(const struct attempt *attempt);

/* Gives the context's calls their time. Fails calls past their deadline and leaves them out. */
void attempt_start_calls(const struct attempt *attempt, struct context *ctx);

/* Returns the earliest deadline of the context's calls; 0: none. */
int64_t attempt_deadline(const struct context *ctx);

/* The context's command failed in the database, alone: gives its calls that error. */
void attempt_fail_context(struct attempt *attempt, struct context *ctx);

#endif
