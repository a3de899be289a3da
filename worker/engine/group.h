/*
 * group.h - a command that holds commands (storage.transaction): all of them take effect, or none
 *
 * The group is a call with calls of its own (struct call's `inner`). They run in their order behind one
 * savepoint. After the first failure the savepoint undoes them all, and the group has the error.
 *
 * For the executor's thread.
 */
#ifndef WORKER_ENGINE_GROUP_H
#define WORKER_ENGINE_GROUP_H

#include "worker/engine/attempt.h"
#include "worker/engine/job.h"

/* Decodes and checks the commands that the job's request holds, in the arena. Refuses the job if one of
 * them cannot be decoded, or must not run in a group. */
void group_decode(struct job *job, const struct engine *engine, struct arena *arena);

/* Runs the group's calls, and then its handler, which replies. DB_OK: the group has its outcome. Any other
 * kind: the attempt has failed. */
enum db_kind group_run(struct attempt *attempt, struct context *ctx)
	__attribute__((warn_unused_result));

#endif
