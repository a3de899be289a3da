/*
 * prune_command.h - runs the commands prune: see `prune` of context_engine.h
 *
 * A prune holds its partition, so it ends early, with tables that are not done, when its time
 * (retention.commandMillis) or its deadline is over, and when the worker stops or loses the partition.
 *
 * For the executor's thread. `engine` is a struct engine.
 */
#ifndef WORKER_ENGINE_PRUNE_COMMAND_H
#define WORKER_ENGINE_PRUNE_COMMAND_H

#include "db/retention/prune.h"
#include "handlers/core/context.h"

enum db_kind prune_command(const void *engine, const struct call *call, struct prune *prune,
	struct prune_item *items, size_t count, struct db_failure *failure);

#endif
