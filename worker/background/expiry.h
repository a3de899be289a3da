/*
 * expiry.h - deletes idempotency keys that are older than idempotency.keepMillis
 *
 * For the index builder's thread, which has a connection and little to do.
 */
#ifndef WORKER_BACKGROUND_EXPIRY_H
#define WORKER_BACKGROUND_EXPIRY_H

#include "db/state/idempotency_rows.h"

struct expiry {
	struct idempotency_table table;
	int64_t due; /* clock_tick_ms; 0: at once */
};

/* Deletes a piece of the expired keys if it is time. Every worker does so about once a minute, and
 * again at its next turn if more are left. */
enum db_kind expiry_work(struct expiry *expiry, struct connection *connection,
	struct db_failure *failure) __attribute__((warn_unused_result));

#endif
