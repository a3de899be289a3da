/*
 * batch.h - the commands of one transaction, by lane
 *
 * Belongs to one executor. The batch owns the messages that it pops from lanes until batch_finish
 * destroys them, batch_give_back or batch_cut returns them, or a detached read takes one over.
 */
#ifndef WORKER_ENGINE_BATCH_H
#define WORKER_ENGINE_BATCH_H

#include "db/state/lane_rows.h"
#include "worker/engine/job.h"
#include "worker/lanes/batch_limits.h"
#include "worker/lanes/replies.h"

struct batch_lane {
	struct lane *lane;
	size_t first, count;               /* its jobs */
	int64_t end;                       /* its position once the batch is done */
	struct lane_snapshot start;        /* the lane when the batch began */
	int64_t new_applied, new_answered; /* as the transaction wrote them to the row */
	size_t stored;                     /* messages in its outbox row */
	bool slow;             /* a command of it needs more time than a shared batch has */
	int64_t seq;           /* of the outbox row */
	struct buffer payload; /* of the outbox row */
};

struct keys;

struct batch {
	const struct engine *engine;
	struct arena *arena;
	struct batch_lane lanes[BATCH_LANES_MAX];
	size_t lane_count;
	struct job *jobs; /* by lane, in order */
	size_t job_count, job_size;
	size_t call_count;             /* of all jobs */
	size_t bytes;                  /* of commands */
	size_t held;                   /* of messages, as they count against the memory ceiling */
	struct keys *schemas;          /* of its jobs' calls; NULL: there is no job */
	struct keys *entered;          /* the idempotency keys of its jobs; NULL: none */
	struct idempotency_key **keys; /* which this attempt claims */
	size_t key_count;
	size_t detached_count; /* reads that will leave their lanes */
	bool detached;         /* holds one detached read: batch_detached */
	bool outside;          /* holds one command that runs in no transaction */
};

void batch_init(struct batch *batch, const struct engine *engine);
void batch_free(struct batch *batch);

/* Pops commands from the lanes and prepares them, up to the limits. A lane waits, alone, at a command if
 * nobody can say now whether its reply topic exists. */
void batch_collect(struct batch *batch, struct lane *const *lanes, size_t count);

/* Numbers the job's schema. False: the batch already has the schemas that it may have
 * (BATCH_SCHEMAS_MAX), and this is another one. */
bool batch_enter_schema(struct batch *batch, struct job *job) __attribute__((warn_unused_result));

/* Does a client wait for a reply? */
bool batch_is_awaited(const struct batch *batch);

/* Makes a batch without commands, to write the lanes' rows. */
void batch_checkpoint(struct batch *batch, struct lane *const *lanes, size_t count);

/* Makes a batch of one detached read's job. The message and what was decoded stay the read's. */
void batch_detached(struct batch *batch, const struct job *job, uint32_t generation);

/* Ends the batch early: each lane keeps only its first next[i] commands, by the lane's place. The
 * messages of the others go back to their lanes. */
void batch_cut(struct batch *batch, const size_t *next);

/* Empties the batch: its messages go back to the front of their lanes, in order. */
void batch_give_back(struct batch *batch);
/* Empties the batch and destroys its messages, except the messages of detached reads. */
void batch_finish(struct batch *batch);
/* Frees what an empty batch keeps for the next one. */
void batch_trim(struct batch *batch);

/* Fills in what the transaction must write to the lanes' rows, in lane order. */
void batch_rows(const struct batch *batch, struct lane_row *rows);

#endif
