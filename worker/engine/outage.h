/*
 * outage.h - whether PostgreSQL refuses work: the log reports it once when it begins and once when
 * it ends, and meanwhile each further cause that an operator must put right
 *
 * An outage begins with a failure that no command caused. It ends when the database has done all the
 * work that it had failed, and no failure followed for a while. So an outage whose errors alternate,
 * or with successes between them, is one outage.
 *
 * Any thread.
 */
#ifndef WORKER_ENGINE_OUTAGE_H
#define WORKER_ENGINE_OUTAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "db/connection/failure.h"
#include "worker/telemetry/log.h"
#include "worker/telemetry/metrics.h"

struct outage;

struct outage *outage_new(struct log *log, struct metrics *metrics);
void outage_free(struct outage *outage);

/* Reports a failure that no command caused. Logs the first of an outage, and the first DB_SETUP of each
 * SQLSTATE and message; the others at debug. */
void outage_seen(struct outage *outage, const struct db_failure *failure);
/* From now on nothing is logged: the worker closes its connections on purpose. */
void outage_end(struct outage *outage);
/* The database has done what it had failed. */
void outage_over(struct outage *outage);
/* Call it about once a second: logs the end of an outage. */
void outage_tick(struct outage *outage);

/* Does an outage last? One atomic load. */
bool outage_lasts(const struct outage *outage);
/* The same; if so, `why` says why, for /readyz. */
bool outage_is_on(struct outage *outage, char *why, size_t size);

#endif
