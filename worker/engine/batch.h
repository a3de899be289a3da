/*
 * batch.h - the commands of one transaction: what was taken from which lane
 *
 * Belongs to one executor. Messages popped from lanes are the batch's until they are either
 * done with (batch_finish) or given back (batch_give_back).
 */
#ifndef WORKER_ENGINE_BATCH_H
#define WORKER_ENGINE_BATCH_H

#include "db/state/lane_rows.h"
#include "worker/engine/job.h"

struct batch_lane {
	struct lane *lane;
	size_t first, count; /* its jobs */
	int64_t end;         /* its position once the batch is through */
	/* As they stood when the batch was collected; its executor alone changes them. */
	int64_t epoch, applied;
	uint32_t reply_generation;
	int64_t new_applied, new_answered; /* as written to its row */
	size_t stored;                     /* replies and dead letters in its outbox row */
	int64_t seq;
	struct outgoing_buffer payload;
	/* Outbox rows acknowledged meanwhile, to be deleted by this batch. */
	int64_t *acked;
	size_t acked_count;
};

struct batch {
	const struct engine *engine;
	struct arena *arena;
	struct batch_lane lanes[WORK_LANES_MAX];
	size_t lane_count;
	struct job *jobs; /* by lane, in order */
	size_t job_count, job_size;
	size_t bytes;          /* of commands */
	size_t held;           /* of messages, as they count against the memory ceiling */
	size_t detached_count; /* commands that go on beside their lanes */
	bool read;             /* of batch_detached */
	bool outside;          /* one command that runs in no transaction */
};

void batch_init(struct batch *batch, const struct engine *engine);
void batch_free(struct batch *batch);

/* Pops and prepares commands of the lanes, up to the limits. False: a reply topic can't be
 * looked up now; all is given back. */
bool batch_collect(struct batch *batch, struct lane *const *lanes, size_t count)
	__attribute__((warn_unused_result));

/* Does anybody wait for a reply of it? */
bool batch_is_awaited(const struct batch *batch);

/* A batch without commands, to write the lanes' rows. */
void batch_checkpoint(struct batch *batch, struct lane *const *lanes, size_t count);

/* One read that runs beside its lane; its message stays with the side. False as batch_collect. */
bool batch_detached(struct batch *batch, const struct detached_read *read)
	__attribute__((warn_unused_result));

/* Ends the batch early: of each lane only the first next[i] commands are its own, by the lane's place.
 * The messages of the others go back. */
void batch_cut(struct batch *batch, const size_t *next);

/* Messages back to the front of their lanes, in order; the batch is empty. */
void batch_give_back(struct batch *batch);
/* What an empty batch keeps for the next one is given back. */
void batch_trim(struct batch *batch);
/* Messages destroyed, but for those that go on beside their lanes; the batch is empty. */
void batch_finish(struct batch *batch);

/* What is to be written to the lanes' rows, in lane order. */
void batch_rows(const struct batch *batch, struct lane_row *rows);

#endif
