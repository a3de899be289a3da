/*
 * command_error.h - what PostgreSQL said about a command that stands alone becomes the command's error
 *
 * For the executor's thread.
 */
#ifndef WORKER_ENGINE_COMMAND_ERROR_H
#define WORKER_ENGINE_COMMAND_ERROR_H

#include "handlers/core/context.h"
#include "worker/engine/engine.h"

/* Fails the context's calls with the failure. The texts go into the context's arena. */
void command_error_fail(const struct engine *engine, struct context *ctx,
	const struct db_failure *failure);

#endif
