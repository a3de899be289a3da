/*
 * crash.h - whether a command ended the worker, or the session that it ran in
 *
 * A worker that dies says nothing, so the lane's row counts each run of a suspect command before it starts.
 * After limits.attempts runs the command is dead-lettered instead. A run that ended otherwise is taken
 * from the count: it failed, or its session broke for another reason.
 *
 * A session that breaks without a word may have met its command, the network or an operator. Only this
 * proves the command's guilt: the server went through a crash recovery, without a restart, and told its
 * other sessions, but not this one. Without proof, the command runs again; it is blamed only if it breaks
 * its session BROKEN_RUNS times in a row over BROKEN_MS, while the session that claims the lane
 * works each time in between.
 *
 * For the executor's thread that has the lane or the read.
 */
#ifndef WORKER_ENGINE_CRASH_H
#define WORKER_ENGINE_CRASH_H

#include "db/state/lane_rows.h"
#include "worker/engine/batch.h"
#include "worker/engine/transaction.h"
#include "worker/lanes/detached.h"
#include "worker/lanes/work.h"

#define BROKEN_RUNS 10
#define BROKEN_MS 300000

/* --- lanes --- */

/* The lane's row was claimed on the connection: judges the last loss, and returns how suspect the lane is
 * now. `end`: of the partition. */
struct lane_suspect crash_claimed(const struct engine *engine, const struct lane *lane,
	const struct lane_claimed *claimed, int64_t end, const struct connection *connection);
/* The lane could not be claimed: what broke its session may be more than its command. */
void crash_not_claimed(const struct engine *engine, struct lane *lane);

/* Before a batch runs: counts a run of a suspect lane's only command in the row, or refuses the command.
 * Returns false if the count cannot be written. */
bool crash_count_run(struct transaction *t, struct batch *batch, const struct work *work,
	struct db_failure *failure) __attribute__((warn_unused_result));
/* A batch of the lanes ended, and broke nothing: takes a counted run back. `written`: its COMMIT has reset the
 * row, too. A read writes nothing, and runs again until Kafka has its reply. */
void crash_run_passed(struct transaction *t, const struct work *work, bool written);
/* A batch of the lanes failed; `lost`: its session is gone. */
void crash_run_failed(struct transaction *t, const struct work *work, bool lost,
	const struct db_failure *failure);

/* --- detached reads --- */

/* Before a read runs: judges the last loss, and refuses a read that ended its session too often. */
void crash_count_read(const struct transaction *t, struct batch *batch, struct detached_read *read);
/* The session of a detached read is gone. */
void crash_read_lost(const struct transaction *t, struct detached_read *read,
	const struct db_failure *failure);

#endif
