/* cleaner.c - the cleaner's thread: takes the lease, prunes, tells what it deleted */
#include "worker/background/cleaner.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "db/connection/params.h"
#include "db/retention/prune.h"
#include "db/state/retention_rows.h"
#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "schemas/base/text.h"
#include "schemas/base/uuid.h"
#include "worker/engine/engine.h"
#include "worker/lanes/work.h"

/* Another worker goes on with a dead worker's run after this long. */
#define LEASE_MS 15000
#define RENEW_MS 3000
/* How often a worker looks whether it is time: a part of retention.every, within these bounds. */
#define LOOK_PART 4
#define LOOK_MIN_MS 100
#define LOOK_MAX_MS 60000
/* While much waits, at most this long before each batch: so old rows go even under a load that never ends. */
#define BEHIND_MAX_MS 60000
#define BEHIND_LOOK_MS 200

struct cleaner {
	const struct engine *engine;
	pthread_t thread;
	int wake_fd;
	atomic_bool stopping;
	struct connection *connection;
	struct retention_lease lease;
	char owner[UUID_TEXT_SIZE];
	int64_t renewed_at; /* clock_tick_ms */
	bool lost;          /* another worker has the lease */
	bool behind;        /* the log tells that it waits */
	struct prune prune;
	struct prune_item items[RETENTION_COUNT];
	size_t count;
};

/* Waits, unless the cleaner stops. */
static void cleaner_wait(struct cleaner *c, int64_t ms)
{
	struct pollfd fd = { .fd = c->wake_fd, .events = POLLIN };
	poll(&fd, 1, (int)ms);
}

/* --- what goes on between batches --- */

static void cleaner_renew(struct cleaner *c)
{
	struct db_failure failure;
	bool ours = true;
	if (c->lost || clock_tick_ms() - c->renewed_at < RENEW_MS)
		return;
	connection_limit_syncs(c->connection, c->prune.limits);
	enum db_kind kind = retention_rows_renew(c->connection, &c->lease, &ours, &failure);
	if (kind == DB_OK)
		c->renewed_at = clock_tick_ms();
	c->lost = (kind == DB_OK && !ours) || clock_tick_ms() - c->renewed_at > LEASE_MS;
}

/* Waits while much waits in the partitions. */
static void cleaner_yield(struct cleaner *c)
{
	int64_t until = clock_tick_ms() + BEHIND_MAX_MS;
	while (lanes_are_behind(c->engine->lanes) && clock_tick_ms() < until &&
		!atomic_load(&c->stopping) && !c->lost) {
		if (!c->behind)
			log_info(c->engine->log,
				"old rows wait: the partitions have much to do first");
		c->behind = true;
		cleaner_wait(c, BEHIND_LOOK_MS);
		cleaner_renew(c);
	}
}

static bool cleaner_go_on(void *arg, int64_t pause_ms)
{
	struct cleaner *c = arg;
	if (pause_ms)
		cleaner_wait(c, pause_ms);
	cleaner_yield(c);
	cleaner_renew(c);
	return !atomic_load(&c->stopping) && !c->lost;
}

static void cleaner_warn(void *arg, const char *what, const char *table,
	const struct db_failure *failure)
{
	const struct cleaner *c = arg;
	log_warn(c->engine->log, what, LOG_STR("table", table), LOG_STR("error", failure->message),
		LOG_STR("sqlstate", failure->sqlstate));
}

/* --- a run --- */

static void cleaner_tell(const struct cleaner *c, int64_t began)
{
	struct buffer tables = { 0 };
	int64_t rows = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct prune_item *item = &c->items[i];
		rows += item->deleted + item->parts;
		text_addf(&tables, "%s%s.%s=%lld", i ? " " : "", item->table->domain,
			item->table->key, (long long)item->deleted);
	}
	log_info(c->engine->log, "deleted rows that were too old", LOG_INT("rows", rows),
		LOG_STR("tables", text_string(&tables)),
		LOG_STR("state", c->prune.stopped ? "interrupted" : "done"),
		LOG_REAL("seconds", (double)(clock_tick_ms() - began) / 1000));
	buffer_free(&tables);
}

static enum db_kind cleaner_run(struct cleaner *c, struct db_failure *failure)
{
	int64_t began = c->renewed_at = clock_tick_ms();
	struct db_failure ignored;
	c->lost = c->behind = false;
	c->prune.now_ms = clock_now_ms();
	for (size_t i = 0; i < c->count; i++)
		c->items[i].deleted = c->items[i].parts = c->items[i].failed = 0;
	enum db_kind kind = prune_run(&c->prune, c->items, c->count, failure);
	cleaner_tell(c, began);
	bool done = kind == DB_OK && !c->prune.stopped;
	if (connection_is_open(c->connection) && !c->lost)
		(void)!retention_rows_end(c->connection, &c->lease, done, &ignored);
	return kind;
}

/* --- the thread --- */

static enum db_kind cleaner_work(struct cleaner *c, struct db_failure *failure)
{
	bool ours = false;
	if (!connection_open(c->connection, failure))
		return failure->kind;
	connection_limit_syncs(c->connection, c->prune.limits);
	enum db_kind kind = retention_rows_claim(c->connection, &c->lease, &ours, failure);
	return kind == DB_OK && ours ? cleaner_run(c, failure) : kind;
}

static int64_t cleaner_look_ms(const struct cleaner *c)
{
	int64_t ms = c->lease.every_ms / LOOK_PART;
	if (ms < LOOK_MIN_MS)
		return LOOK_MIN_MS;
	return ms < LOOK_MAX_MS ? ms : LOOK_MAX_MS;
}

static void *cleaner_main(void *arg)
{
	struct cleaner *c = arg;
	while (!atomic_load(&c->stopping)) {
		struct db_failure failure;
		enum db_kind kind = cleaner_work(c, &failure);
		/* Of an outage the executors tell. */
		if (kind != DB_OK)
			log_at(c->engine->log, prune_can_pass(kind) ? LOG_DEBUG : LOG_WARN,
				"rows that are too old can't be deleted now",
				LOG_STR("error", failure.message),
				LOG_STR("sqlstate", failure.sqlstate));
		connection_close(c->connection);
		cleaner_wait(c, cleaner_look_ms(c));
	}
	return NULL;
}

/* --- start and end --- */

static void cleaner_add_items(struct cleaner *c)
{
	for (size_t i = 0; i < RETENTION_COUNT; i++) {
		int64_t age_ms = c->engine->settings.retention_ms[i];
		if (age_ms > 0)
			c->items[c->count++] = (struct prune_item){ .table = &retention_tables[i],
				.max_age_ms = age_ms,
				.batch_rows = PRUNE_BATCH_ROWS };
	}
}

static struct prune cleaner_prune(struct cleaner *c)
{
	const struct config *config = c->engine->config;
	return (struct prune){ .connection = c->connection,
		.params = c->lease.params,
		.options = &c->engine->connection,
		.schema = c->lease.schema,
		.bounds = { .batches = -1, .rows = -1 },
		.skip_failed = true,
		.no_indexes = config->postgres.disable_init,
		.limits = { config->postgres.statement_timeout_ms,
			config->postgres.lock_timeout_ms },
		.go_on = cleaner_go_on,
		.wake_fd = c->wake_fd,
		.warn = cleaner_warn,
		.arg = c };
}

static struct cleaner *cleaner_new(const struct engine *engine)
{
	struct cleaner *c = alloc_zero(1, sizeof(*c));
	c->engine = engine;
	c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	uuid_v4(c->owner);
	c->connection = connection_new(&engine->connection);
	c->lease = (struct retention_lease){ .schema = engine->config->postgres.schema_name,
		.group = engine->config->kafka.group_id,
		.owner = c->owner,
		.params = params_new(),
		.lease_ms = LEASE_MS };
	const char *every = engine->config->retention.every;
	if (c->wake_fd < 0 || !retention_age(every, strlen(every), &c->lease.every_ms))
		abort();
	c->prune = cleaner_prune(c);
	cleaner_add_items(c);
	return c;
}

static void cleaner_free(struct cleaner *c)
{
	connection_free(c->connection);
	params_free(c->lease.params);
	close(c->wake_fd);
	free(c);
}

struct cleaner *cleaner_start(const struct engine *engine)
{
	struct cleaner *c = cleaner_new(engine);
	if (c->count == 0) {
		cleaner_free(c);
		return NULL;
	}
	if (pthread_create(&c->thread, NULL, cleaner_main, c)) {
		perror("stowage: cleaner");
		abort();
	}
	return c;
}

void cleaner_stop(struct cleaner *c)
{
	if (!c)
		return;
	atomic_store(&c->stopping, true);
	eventfd_write(c->wake_fd, 1);
	pthread_join(c->thread, NULL);
	cleaner_free(c);
}
