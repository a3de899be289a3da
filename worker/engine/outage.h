/*
 * outage.h - is PostgreSQL away? Said once when it goes and once when it is back
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

/* A failure that is nobody's command's: logs it if it is news. */
void outage_seen(struct outage *outage, const struct db_failure *failure);
/* From now on nothing is said: connections are given up on purpose. */
void outage_end(struct outage *outage);
/* The database answered. */
void outage_over(struct outage *outage);

/* Away? Then why, for /readyz. */
bool outage_is_on(struct outage *outage, char *why, size_t size);

#endif
