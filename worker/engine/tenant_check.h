/*
 * tenant_check.h - refuses commands of tenants whose tables are missing, and errors in a tenant's schema
 *
 * A broken installation of the worker's own schema is an outage: partitions wait for the operator. A broken
 * schema of one tenant must not stop the others, so there it is the error of each command.
 *
 * For the executor's thread.
 */
#ifndef WORKER_ENGINE_TENANT_CHECK_H
#define WORKER_ENGINE_TENANT_CHECK_H

#include "worker/engine/transaction.h"

/* Before a batch runs: looks at each schema that the worker does not know as complete, and refuses the jobs
 * of incomplete ones. DB_OK, or why it could not look. */
enum db_kind tenant_check(struct transaction *transaction, struct batch *batch,
	struct db_failure *failure) __attribute__((warn_unused_result));

/* Is the failure a tenant's broken installation, and not one of the server or of a command? */
bool tenant_is_broken(const struct context *ctx, const struct db_failure *failure);
/* If so, looks at the schema again before the next command, fails the calls with it, and returns true.
 * False: it is an ordinary error of the command. */
bool tenant_fail(const struct engine *engine, struct context *ctx,
	const struct db_failure *failure);

#endif
