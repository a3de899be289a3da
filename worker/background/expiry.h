/*
 * expiry.h - deletes idempotency keys that are older than idempotency.keepMillis
 *
 * For the index builder's thread, which has a connection and little to do. The caller limits how long the
 * connection's statements may run.
 */
#ifndef WORKER_BACKGROUND_EXPIRY_H
#define WORKER_BACKGROUND_EXPIRY_H

#include "db/state/idempotency_rows.h"
#include "worker/engine/engine.h"

struct expiry {
	struct idempotency_table table;
	int64_t due;       /* clock_tick_ms; 0: at once */
	int64_t piece;     /* keys that one statement deletes */
	unsigned failures; /* consecutive */
	bool logged;       /* the log says that it fails */
};

/* The table's texts stay the caller's. */
struct expiry expiry_new(const struct idempotency_table *table);

/* Deletes a piece of the expired keys if it is time. Every worker does so about once a minute, and
 * again at its next turn if more are left. Logs the first failure of a row of them, and tries again later: no
 * other work may wait for it. Afterwards the connection may be closed. Returns true if more keys are left. */
bool expiry_work(struct expiry *expiry, struct connection *connection, struct log *log);

#endif
