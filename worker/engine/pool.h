/*
 * pool.h - the sessions that this worker's executors have with PostgreSQL: how many are open, and which
 * executors the server refuses one
 *
 * A refused connection is no outage while other sessions live: the executor without a session steps back,
 * and the others do its work. The index builder must get a session all the same, so executors give theirs up
 * when it waits for one.
 *
 * Any thread.
 */
#ifndef WORKER_ENGINE_POOL_H
#define WORKER_ENGINE_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "db/connection/connection.h"
#include "worker/telemetry/log.h"
#include "worker/telemetry/metrics.h"

struct pool;

/* `wanted`: how many executors there are. */
struct pool *pool_new(struct log *log, struct metrics *metrics, int64_t wanted);
void pool_free(struct pool *pool);

/* An executor connects; pool_opened or pool_failed follows. */
void pool_opening(struct pool *pool);
/* Logs once if a pooler stands between. */
void pool_opened(struct pool *pool, bool pooled);
/* Connecting failed. Returns true if other executors have sessions: the failure is then logged once, and the
 * caller steps back until pool_wait returns. False: it is an outage. */
bool pool_failed(struct pool *pool, const struct db_failure *failure);
void pool_closed(struct pool *pool);
/* The worker closes a session itself; pool_closed or pool_other_closed follows. A connection that a limit
 * refuses right afterwards is no sign of an outage: the server still counts the closed session. */
void pool_gives(struct pool *pool);

/* --- sessions that are no executor's --- */

/* After pool_opening; pool_failed may take its place. */
void pool_other_tried(struct pool *pool, bool opened);
void pool_other_closed(struct pool *pool);
/* The caller cannot get a session: until pool_unwant, executors open none, and give theirs up one by one. */
void pool_want(struct pool *pool);
void pool_unwant(struct pool *pool);
bool pool_is_wanted(const struct pool *pool);
/* Must the calling executor close its session now? Then pool_yield follows, which waits until nobody wants a
 * session any more, or for delay_ms. */
bool pool_must_yield(struct pool *pool);
void pool_yield(struct pool *pool, int64_t delay_ms);
/* Did PostgreSQL refuse a connection lately? Then idle sessions are closed soon, for other workers too. */
bool pool_is_scarce(struct pool *pool);

/* --- executors without a session --- */

/* An executor steps back, and takes part again. */
void pool_step_back(struct pool *pool);
void pool_return(struct pool *pool);
/* Waits for delay_ms. Returns false, perhaps earlier, if the worker has and wants no session at all, or ends. */
bool pool_wait(struct pool *pool, int64_t delay_ms);
/* Ends all waits for good. */
void pool_quit(struct pool *pool);

/* Asks the executors to open their sessions anew, each before its next work. */
void pool_renew(struct pool *pool);
/* Changes with each pool_renew. */
unsigned pool_generation(const struct pool *pool);

/* A session lost prepared statements. Logs once if a pooler is the cause. */
void pool_statements_lost(struct pool *pool, bool pooled);

#endif
