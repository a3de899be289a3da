/* outage.c - keeps track of database outages, and advises the operator */
#include "worker/engine/outage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"

/* After an outage its end is logged when no failure followed for this time. It is longer than the
 * longest delay between two tries. */
#define QUIET_MS 6000

/* Setup causes that one outage reports, each in a line of its own. Further ones are debug lines. */
#define CAUSES_MAX 16

/* What an operator must put right: the server's message names the object. */
struct outage_cause {
	char sqlstate[6];
	char message[512];
};

struct outage {
	struct log *log;
	struct metrics *metrics;
	pthread_mutex_t mutex;
	atomic_bool on;
	atomic_bool ended;
	bool logged;       /* the log says that it began */
	bool other_logged; /* ... and that it has a cause without an SQLSTATE of the setup */
	size_t cause_count;
	struct outage_cause causes[CAUSES_MAX]; /* that the log has */
	int64_t since;                          /* clock_tick_ms of its first failure */
	int64_t seen_at;                        /* clock_tick_ms of its last failure */
	int64_t over_at; /* clock_tick_ms when the database last answered in it */
	int64_t failures;
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

/* With the mutex held. Does the log have the cause already? All failures that pass by themselves are one
 * cause, and all refused connections: their texts differ while the server starts. */
static bool outage_has_cause(struct outage *outage, const struct db_failure *failure)
{
	if (failure->kind != DB_SETUP || !failure->sqlstate[0]) {
		bool logged = outage->other_logged;
		outage->other_logged = true;
		return logged;
	}
	for (size_t i = 0; i < outage->cause_count; i++)
		if (strcmp(outage->causes[i].sqlstate, failure->sqlstate) == 0 &&
			strcmp(outage->causes[i].message, failure->message) == 0)
			return true;
	if (outage->cause_count == CAUSES_MAX)
		return true;
	struct outage_cause *cause = &outage->causes[outage->cause_count++];
	snprintf(cause->sqlstate, sizeof(cause->sqlstate), "%s", failure->sqlstate);
	snprintf(cause->message, sizeof(cause->message), "%s", failure->message);
	return false;
}

/* With the mutex held. Returns true if the outage is new. */
static bool outage_begin(struct outage *outage, const char *why)
{
	bool news = !outage->logged;
	outage->seen_at = clock_tick_ms();
	if (news) {
		outage->since = outage->seen_at;
		outage->failures = 0;
		outage->other_logged = false;
		outage->cause_count = 0;
		metrics_add(outage->metrics, METRIC_DATABASE_OUTAGES, 1);
	}
	outage->logged = true;
	outage->failures++;
	atomic_store(&outage->on, true);
	snprintf(outage->why, sizeof(outage->why), "%s", why);
	return news;
}

void outage_seen(struct outage *outage, const struct db_failure *failure)
{
	char why[640];
	if (atomic_load(&outage->ended))
		return;
	snprintf(why, sizeof(why), "%s%s%s", failure->message,
		failure->sqlstate[0] ? " SQLSTATE " : "", failure->sqlstate);
	pthread_mutex_lock(&outage->mutex);
	bool begins = outage_begin(outage, why);
	bool news = !outage_has_cause(outage, failure);
	pthread_mutex_unlock(&outage->mutex);
	enum log_level level = failure->kind == DB_SETUP ? LOG_ERROR : LOG_WARN;
	log_at(outage->log, news ? level : LOG_DEBUG,
		begins         ? "database refuses work: partitions wait"
			: news ? "database refuses work for another cause too"
			       : "database still refuses work",
		LOG_STR("error", failure->message),
		LOG_STR("sqlstate", failure->sqlstate[0] ? failure->sqlstate : NULL),
		LOG_STR("help", news ? help_for(failure) : NULL));
}

void outage_end(struct outage *outage)
{
	atomic_store(&outage->ended, true);
}

void outage_over(struct outage *outage)
{
	if (!outage_lasts(outage))
		return;
	pthread_mutex_lock(&outage->mutex);
	if (atomic_exchange(&outage->on, false))
		outage->over_at = clock_tick_ms();
	pthread_mutex_unlock(&outage->mutex);
}

void outage_tick(struct outage *outage)
{
	pthread_mutex_lock(&outage->mutex);
	bool over = outage->logged && !atomic_load(&outage->on) &&
		clock_tick_ms() - outage->seen_at >= QUIET_MS;
	if (over)
		outage->logged = false;
	int64_t lasted = outage->over_at - outage->since, failures = outage->failures;
	char why[sizeof(outage->why)];
	snprintf(why, sizeof(why), "%s", outage->why);
	pthread_mutex_unlock(&outage->mutex);
	if (over)
		log_info(outage->log, "database is back", LOG_INT("after_ms", lasted),
			LOG_INT("failures", failures), LOG_STR("last_error", why));
}

bool outage_lasts(const struct outage *outage)
{
	return atomic_load_explicit(&outage->on, memory_order_relaxed);
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
