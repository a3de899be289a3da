/* prune_command.c - bounds a prune, and reports what it cannot do */
#include "worker/engine/prune_command.h"

#include <poll.h>

#include "schemas/base/clock.h"
#include "worker/engine/job.h"

/* How often a prune that pauses looks whether it must end. */
#define LOOK_MS 100

struct pruner {
	const struct engine *engine;
	const struct call *call;
	struct prune *prune;
	int64_t until; /* clock_tick_ms; 0: no bound */
};

/* Milliseconds until the command's deadline; INT64_MAX: it has none. */
static int64_t pruner_left_ms(const struct pruner *p)
{
	return p->call->deadline_ms ? p->call->deadline_ms - clock_now_ms() : INT64_MAX;
}

static bool pruner_must_end(const struct pruner *p)
{
	const struct engine *engine = p->engine;
	struct pollfd give_up = { .fd = *engine->connection.give_up_fd, .events = POLLIN };
	return (p->until && clock_tick_ms() >= p->until) || pruner_left_ms(p) <= 0 ||
		poll(&give_up, 1, 0) != 0 || lanes_is_leaving(engine->lanes, job_of(p->call)->lane);
}

/* A statement may take what a command's statements may take, but not beyond the deadline. */
static void pruner_limit(const struct pruner *p)
{
	int64_t limit_ms = p->engine->config->postgres.statement_timeout_ms;
	int64_t lock_ms = p->engine->config->postgres.lock_timeout_ms;
	int64_t left_ms = pruner_left_ms(p);
	if (left_ms < limit_ms)
		limit_ms = left_ms > 1 ? left_ms : 1;
	if (lock_ms > limit_ms / 2)
		lock_ms = limit_ms > 1 ? limit_ms / 2 : 1;
	p->prune->limits = (struct statement_limits){ .run_ms = limit_ms, .lock_ms = lock_ms };
}

static bool pruner_go_on(void *arg, int64_t pause_ms)
{
	const struct pruner *p = arg;
	int64_t until = clock_tick_ms() + pause_ms;
	while (!pruner_must_end(p)) {
		int64_t left = until - clock_tick_ms();
		if (left <= 0) {
			pruner_limit(p);
			return true;
		}
		poll(NULL, 0, (int)(left < LOOK_MS ? left : LOOK_MS));
	}
	return false;
}

static void pruner_warn(void *arg, const char *what, const char *table,
	const struct db_failure *failure)
{
	const struct pruner *p = arg;
	log_warn(p->engine->log, what, LOG_STR("table", table),
		LOG_STR("command", p->call->command->name), LOG_STR("error", failure->message),
		LOG_STR("sqlstate", failure->sqlstate));
}

enum db_kind prune_command(const void *engine, const struct call *call, struct prune *prune,
	struct prune_item *items, size_t count, struct db_failure *failure)
{
	struct pruner pruner = { .engine = engine, .call = call, .prune = prune };
	const struct config *config = pruner.engine->config;
	if (config->retention.command_ms)
		pruner.until = clock_tick_ms() + config->retention.command_ms;
	prune->options = &pruner.engine->connection;
	prune->no_indexes = config->postgres.disable_init;
	prune->wake_fd = -1;
	prune->go_on = pruner_go_on;
	prune->warn = pruner_warn;
	prune->arg = &pruner;
	return prune_run(prune, items, count, failure);
}
