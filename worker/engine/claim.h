/*
 * claim.h - claims a newly assigned partition: its row, its offsets, its unsent replies
 */
#ifndef WORKER_ENGINE_CLAIM_H
#define WORKER_ENGINE_CLAIM_H

#include "worker/engine/transaction.h"

/* How the claim ended: the arguments for lanes_done. */
struct claim_end {
	enum lane_state state;
	bool failed; /* the database failed, and the call's `failure` says how */
	int64_t delay_ms;
};

/* Claims the lane's row by raising its epoch, sends what its outbox holds, and sets the offset at
 * which the consumer starts. Blocks on Kafka and PostgreSQL. For the executor's thread. */
struct claim_end claim_lane(struct transaction *transaction, struct lane *lane,
	struct db_failure *failure);

#endif
