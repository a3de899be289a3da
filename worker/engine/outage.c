/* outage.c - keeps track of database outages, and advises the operator */
#include "worker/engine/outage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"

struct outage {
	struct log *log;
	struct metrics *metrics;
	pthread_mutex_t mutex;
	atomic_bool on;
	atomic_bool ended;
	int64_t since;
	char why[640];
};

struct outage *outage_new(struct log *log, struct metrics *metrics)
{
	struct outage *outage = alloc_zero(1, sizeof(*outage));
	outage->log = log;
	outage->metrics = metrics;
	pthread_mutex_init(&outage->mutex, NULL);
	return outage;
}

void outage_free(struct outage *outage)
{
	if (!outage)
		return;
	pthread_mutex_destroy(&outage->mutex);
	free(outage);
}

/* Returns what the operator can do about it. */
static const char *help_for(const struct db_failure *failure)
{
	if (failure->help)
		return failure->help;
	if (failure->kind == DB_SETUP)
		return "check postgres.* in the configuration and the role's rights; `stowage check` says more";
	return "waiting for it; nothing is lost";
}

void outage_seen(struct outage *outage, const struct db_failure *failure)
{
	char why[640];
	if (atomic_load(&outage->ended))
		return;
	snprintf(why, sizeof(why), "%s%s%s", failure->message,
		failure->sqlstate[0] ? " SQLSTATE " : "", failure->sqlstate);
	pthread_mutex_lock(&outage->mutex);
	bool news = !atomic_load(&outage->on) || strcmp(why, outage->why) != 0;
	if (!atomic_load(&outage->on)) {
		outage->since = clock_tick_ms();
		metrics_add(outage->metrics, METRIC_DATABASE_OUTAGES, 1);
	}
	atomic_store(&outage->on, true);
	snprintf(outage->why, sizeof(outage->why), "%s", why);
	pthread_mutex_unlock(&outage->mutex);
	if (news)
		log_at(outage->log, failure->kind == DB_SETUP ? LOG_ERROR : LOG_WARN,
			"database refuses work: partitions wait",
			LOG_STR("error", failure->message),
			LOG_STR("sqlstate", failure->sqlstate[0] ? failure->sqlstate : NULL),
			LOG_STR("help", help_for(failure)));
}

void outage_end(struct outage *outage)
{
	atomic_store(&outage->ended, true);
}

void outage_over(struct outage *outage)
{
	if (!atomic_load_explicit(&outage->on, memory_order_relaxed))
		return;
	pthread_mutex_lock(&outage->mutex);
	bool was = atomic_exchange(&outage->on, false);
	int64_t lasted = clock_tick_ms() - outage->since;
	pthread_mutex_unlock(&outage->mutex);
	if (was)
		log_info(outage->log, "database is back", LOG_INT("after_ms", lasted));
}

bool outage_is_on(struct outage *outage, char *why, size_t size)
{
	pthread_mutex_lock(&outage->mutex);
	bool on = atomic_load(&outage->on);
	if (on)
		snprintf(why, size, "database: %s", outage->why);
	pthread_mutex_unlock(&outage->mutex);
	return on;
}
