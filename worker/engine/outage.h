/*
 * outage.h - whether PostgreSQL refuses work: the log reports it once when it begins and once when
 * it ends
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

/* Reports a failure that no command caused. Logs it if it is new. */
void outage_seen(struct outage *outage, const struct db_failure *failure);
/* From now on nothing is logged: the worker closes its connections on purpose. */
void outage_end(struct outage *outage);
/* The database answered. */
void outage_over(struct outage *outage);

/* Does an outage last? If so, `why` says why, for /readyz. */
bool outage_is_on(struct outage *outage, char *why, size_t size);

#endif
