/*
 * idempotency.h - a write whose key was applied before is not applied again, and gets the first reply
 *
 * A command may name a key: the header idempotency-key, else CloudEvents' ce_source with ce_id. The
 * batch takes the keys of its writes before it runs them, and stores their replies with them before
 * it commits. A failed command gives its key back. Reads ignore keys.
 *
 * Source: protocol.md, "Headers"; CloudEvents 1.0.2, "id". For the executor's thread.
 */
#ifndef WORKER_ENGINE_IDEMPOTENCY_H
#define WORKER_ENGINE_IDEMPOTENCY_H

#include "worker/engine/transaction.h"

/* Sets job->key if the decoded job is a write that names one. Allocates in the arena. */
void idempotency_read(struct job *job, const struct engine *engine, struct arena *arena);

/* Enters the job's key into the batch. False: an earlier job of the batch has the same key, so this
 * job must wait for that one's outcome in a later batch. */
bool idempotency_enter(struct batch *batch, const struct job *job);

/* Sends the claim of the batch's keys, if it has any; else returns false. `take`: the transaction
 * takes the unknown keys. */
bool idempotency_claim(const struct transaction *transaction, struct batch *batch, bool take);
/* The claim's rows are in: settles the jobs whose keys are known. */
void idempotency_claimed(struct batch *batch);

/* Sends the outcomes of the keys that the transaction has taken. */
void idempotency_save(const struct transaction *transaction, struct batch *batch);

#endif
