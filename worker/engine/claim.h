/*
 * claim.h - making a newly assigned partition ours: its row, its place, its unsent replies
 */
#ifndef WORKER_ENGINE_CLAIM_H
#define WORKER_ENGINE_CLAIM_H

#include "worker/engine/transaction.h"

/* How a lane is left: for lanes_done. */
struct claim_end {
	enum lane_state state;
	bool failed; /* the database failed: `failure` of the call says how */
	int64_t delay_ms;
};

/* Takes the lane's row by raising its epoch, sends again what its outbox holds, and sets where
 * the consumer is to start it. Blocks on Kafka and PostgreSQL. */
struct claim_end claim_lane(struct transaction *transaction, struct lane *lane,
	struct db_failure *failure);

#endif
