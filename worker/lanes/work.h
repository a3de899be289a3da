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
	bool slow;                  /* the batch's only lane is slow */
	bool roused;                /* WORK_NONE because of lanes_rouse */
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

/* Returns for how long the oldest batch or detached read has been running, in ms; 0: none runs. Any
 * thread. */
int64_t lanes_oldest_ms(struct lanes *lanes);
/* Returns for how long all executors have been busy, in ms; 0: one waits for work. Any thread. */
int64_t lanes_busy_ms(struct lanes *lanes);

/* Does much wait in the lanes, or have all executors been busy for a while? Work that is not urgent then
 * leaves the database to them. Any thread. */
bool lanes_are_behind(struct lanes *lanes);

/* An executor without a session takes no work for a while (away), or it takes work again. */
void lanes_executor_away(struct lanes *lanes, bool away);

/* Does the lane's next command need more time than a shared batch has? Before lanes_done. */
void lanes_set_slow(struct lanes *lanes, struct lane *lane, bool slow);

/* A client waits for the answer of a small batch: large batches leave room for a while. */
void lanes_awaited(struct lanes *lanes);

/* Each executor that waits for work, or will, gets WORK_NONE once without further waiting. Any thread. */
void lanes_rouse(struct lanes *lanes);

/* Executors get WORK_QUIT once no other work is left. */
void lanes_quit(struct lanes *lanes);

/* The module's own, with the mutex held: may another detached read or batch of a slow lane begin? */
bool work_may_be_slow(const struct lanes *lanes);
/* The same for a detached read, while a slow lane waits its turn. */
bool work_may_detach(const struct lanes *lanes, int64_t now);

/* The module's own, with the mutex held: removes and returns the executor to wake for messages that
 * arrived in the lane; NULL if none is needed. */
struct waiter *lanes_waiter_for(struct lanes *lanes, const struct lane *lane);

#endif
