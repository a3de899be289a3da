/*
 * batch_limits.h - the constants that decide how large a batch grows and how many run at once
 *
 * The operator sets the other limits: batch.maxCommands, batch.maxBytes, batch.lingerMillis,
 * batch.maxParallel, batch.maxDetachedReads, replies.maxBytes, limits.memoryBytes.
 */
#ifndef WORKER_LANES_BATCH_LIMITS_H
#define WORKER_LANES_BATCH_LIMITS_H

#include <stddef.h>

/* Lanes in one batch: the fence locks a row for each. */
#define BATCH_LANES_MAX 64

/* Schemas in one batch. A transaction holds a lock on each table that it writes and on each index of it, some
 * dozen for the spans of one schema. PostgreSQL's default (max_locks_per_transaction = 64) has room for some
 * seven thousand locks of all sessions together. */
#define BATCH_SCHEMAS_MAX 128

/* A lane with up to this many commands and bytes is small: it shares a batch with other small
 * lanes. A larger one fills a batch alone or with other large lanes. */
#define SMALL_LANE_COMMANDS 64
#define SMALL_LANE_BYTES ((size_t)256 * 1024)
/* A lane may hold at least this many commands, unless they are large. With fewer it would count as
 * small although more commands follow. */
#define LANE_COMMANDS_MIN 256

/* Large batches, and detached reads, at once: one for each processor within these bounds, unless
 * the operator sets a number. */
#define PARALLEL_MIN 2
#define PARALLEL_MAX 8

/* A small batch has the small lanes to itself for this long, and, when many clients wait, the next
 * small batch waits as long: what arrives meanwhile makes it larger. Otherwise each of fifty
 * requests in flight would run alone, at several times the cost for Kafka, PostgreSQL and the
 * worker. A command that arrives alone never waits, and after this time a slow query delays no
 * other lane. */
#define SMALL_ALONE_MS 1
/* Many clients wait if the last small batch had at least this many commands. */
#define SMALL_MANY 4
/* After a client waited for the answer of a small batch, one large batch less runs for this long.
 * PostgreSQL and Kafka then have a core for the next such command: on two cores that costs the
 * large batches a fifth of their rate and halves the slowest one percent of answers. */
#define AWAITED_MS 1000

/* Contexts sent before the transaction reads their results. More keep the server busy, fewer bound
 * the memory that results take. */
#define CONTEXTS_AHEAD 64
#define CONTEXTS_AHEAD_LARGE 8 /* once the batch's replies exceed REPLIES_LARGE */
#define REPLIES_LARGE ((size_t)1024 * 1024)
/* The batch keeps its replies until it commits: at this many bytes it ends early. */
#define BATCH_REPLIES_MAX ((size_t)16 * 1024 * 1024)

#endif
