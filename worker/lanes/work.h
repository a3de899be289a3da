/*
 * work.h - what an executor does next: claim a lane, run a batch, run a detached read, write a
 * checkpoint
 */
#ifndef WORKER_LANES_WORK_H
#define WORKER_LANES_WORK_H

#include "worker/lanes/batch_limits.h"
#include "worker/lanes/detached.h"
#include "worker/lanes/lanes.h"
#include "worker/lanes/wait.h"

enum work_kind {
	WORK_QUIT,
	WORK_NONE,       /* no work for a while */
	WORK_CLAIM,      /* one lane: claim its row */
	WORK_BATCH,      /* lanes with messages */
	WORK_DETACHED,   /* one detached read */
	WORK_CHECKPOINT, /* idle lanes whose rows are behind: lane_row_is_behind */
};

struct work {
	enum work_kind kind;
	struct lane *lanes[BATCH_LANES_MAX]; /* busy and referenced until lanes_done */
	size_t lane_count;
	bool small;                 /* a batch of small lanes */
	bool suspect;               /* the batch's only lane is suspect */
	int retries;                /* consecutive failures of the first lane, or of the read */
	struct detached_read *read; /* of WORK_DETACHED; the executor owns it now */
};

/* Waits for work; WORK_NONE after idle_ms without any. The waiter belongs to the executor. */
void lanes_next(struct lanes *lanes, struct work *work, struct waiter *waiter, int idle_ms);

/* The executor is done with the lane, which gets that state; it has no work before delay_ms. */
void lanes_done(struct lanes *lanes, struct lane *lane, enum lane_state state, int64_t delay_ms);

/* The executor cannot do the lane's work and does not ask for other work: another one may have it. */
void lanes_hand_back(struct lanes *lanes, struct lane *lane, enum lane_state state);

/* The database failed the work on the lane, which the executor still has, or did it. */
void lanes_set_outage(struct lanes *lanes, struct lane *lane, bool outage);
/* The session broke under a batch of the lane, which the executor still has. Returns how many did so in a
 * row. */
int lanes_count_loss(struct lanes *lanes, struct lane *lane);
/* Did the database fail the last work on some lane? */
bool lanes_have_outage(struct lanes *lanes);

/* A client waits for the answer of a small batch: large batches leave room for a while. */
void lanes_awaited(struct lanes *lanes);

/* Executors get WORK_QUIT once no other work is left. */
void lanes_quit(struct lanes *lanes);

/* The module's own, with the mutex held: removes and returns the executor to wake for messages that
 * arrived in the lane; NULL if none is needed. */
struct waiter *lanes_waiter_for(struct lanes *lanes, const struct lane *lane);

#endif
