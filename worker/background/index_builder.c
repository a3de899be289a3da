/* index_builder.c - the builder's thread: claims builds, runs their steps, records their ends */
#include "worker/background/index_builder.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "schemas/base/utf8.h"
#include "schemas/base/uuid.h"
#include "worker/background/expiry.h"
#include "worker/background/index_replies.h"
#include "worker/background/index_sessions.h"
#include "worker/lanes/work.h"

/* Another worker claims a dead worker's build after this long. The builder renews its lease about
 * every second. */
#define LEASE_SECONDS 10
/* After this long without a renewal, another worker may be about to claim the build. */
#define LEASE_DOUBT_MS 6000
/* How often the builder looks for abandoned builds and for builds that wait to be retried. */
#define POLL_MS 1000
/* Without work for KEEP_MS the builder closes its session, and opens one at each look. After failures it looks
 * no less often. */
#define KEEP_MS 10000
#define IDLE_POLL_MS 5000
/* A build that gets only one session cannot renew its lease meanwhile, so it takes a long one. */
#define ALONE_LEASE_SECONDS 3600
#define ALONE_DOUBT_MS (3500 * 1000)
#define LOG_MS 10000
#define RETRY_MS 500
#define RETRY_MAX_MS 60000
#define ANSWER_RENEW_MS 3000
/* Replies that Kafka refused are sent again after this delay. */
#define REFUSED_SECONDS 60
/* Limits of the builder's own statements, below LEASE_DOUBT_MS; a role's own may be shorter. */
#define STATEMENT_MS 5000
#define LOCK_MS 2500
/* At shutdown the builder waits this long for replies in flight. */
#define LAST_ANSWERS_MS 2000
#define ARENA_KEEP (64 * 1024)

struct builder {
	const struct engine *engine;
	pthread_t thread;
	int wake_fd;
	atomic_bool stopping;
	struct build_table table;
	struct build_session_watch watch;
	struct builder_answers answers;
	struct expiry expiry;
	char owner[UUID_TEXT_SIZE];
	unsigned failures; /* consecutive, of the database */
	int64_t worked_at; /* clock_tick_ms */
	struct index_sessions sessions;
	/* The running build. */
	struct build_row build;
	int64_t started_at, renewed_at, logged_at; /* clock_tick_ms */
	bool taken;                                /* another worker or a command took the build
	                                              away */
};

static void drain_wake(struct builder *b)
{
	uint64_t count;
	if (read(b->wake_fd, &count, sizeof(count)) < 0)
		return; /* there was no wake-up */
}

static void wait_wake(struct builder *b, int ms)
{
	struct pollfd fd = { .fd = b->wake_fd, .events = POLLIN };
	poll(&fd, 1, ms);
	drain_wake(b);
}

static int64_t builder_backoff_ms(unsigned failures)
{
	int64_t delay = (int64_t)RETRY_MS << (failures > 8 ? 8 : failures);
	return delay > RETRY_MAX_MS ? RETRY_MAX_MS : delay;
}

static void builder_see_outage(struct builder *b, const struct db_failure *failure)
{
	if (!b->sessions.refused)
		outage_seen(b->engine->outage, failure);
}

/* --- a build --- */

static void log_progress(struct builder *b, const struct build_progress *progress)
{
	int64_t now = clock_tick_ms();
	if (now - b->logged_at < LOG_MS)
		return;
	b->logged_at = now;
	log_info(b->engine->log, "index build running", LOG_STR("index", b->build.index),
		LOG_STR("phase", progress->phase), LOG_INT("done", progress->done),
		LOG_INT("total", progress->total),
		LOG_INT("seconds", (now - b->started_at) / 1000));
}

/* Renews the lease. Returns false if the build is no longer ours, or may soon not be. */
static bool builder_renew(struct builder *b)
{
	struct build_progress progress;
	struct db_failure failure;
	if (b->sessions.alone)
		return clock_tick_ms() - b->renewed_at < ALONE_DOUBT_MS;
	if (!index_sessions_open_rows(&b->sessions, &failure) ||
		build_rows_renew(&b->table, &b->build, &progress, &failure) != DB_OK)
		return clock_tick_ms() - b->renewed_at < LEASE_DOUBT_MS;
	b->taken = !progress.ours;
	b->renewed_at = clock_tick_ms();
	if (progress.ours)
		log_progress(b, &progress);
	return progress.ours;
}

static bool builder_tick(void *arg)
{
	struct builder *b = arg;
	drain_wake(b);
	return !atomic_load(&b->stopping) && builder_renew(b);
}

/* Asks the database for the build's next statement. */
static enum db_kind next_step(struct builder *b, bool leftovers, char **step,
	struct db_failure *failure)
{
	char *sql = build_rows_step(&b->table, &b->build, leftovers);
	enum db_kind kind = build_session_run(b->sessions.build, sql, &b->watch, step, failure);
	free(sql);
	return kind;
}

/* Renews right before the statement runs, because a cancelled build must not begin. */
static enum db_kind builder_run_step(struct builder *b, const char *step,
	struct db_failure *failure)
{
	if (builder_renew(b))
		return build_session_run(b->sessions.build, step, &b->watch, NULL, failure);
	*failure = (struct db_failure){ .kind = DB_CONTEND,
		.message = "the build has another owner now" };
	return DB_CONTEND;
}

/* Runs the build's statements until none is left. If the same statement comes again, a retry would
 * not help, so the build fails. */
static enum db_kind run_steps(struct builder *b, bool leftovers, struct db_failure *failure)
{
	char *step = NULL, *past[2] = { NULL, NULL };
	enum db_kind kind = DB_OK;
	while (kind == DB_OK) {
		kind = next_step(b, leftovers, &step, failure);
		if (kind != DB_OK || !step)
			break;
		if ((past[0] && strcmp(step, past[0]) == 0) ||
			(past[1] && strcmp(step, past[1]) == 0)) {
			*failure = (struct db_failure){
				.kind = DB_COMMAND,
				.message =
					"the index was created but differs from the requested one"
			};
			kind = DB_COMMAND;
			break;
		}
		log_debug(b->engine->log, "index build", LOG_STR("statement", step));
		kind = builder_run_step(b, step, failure);
		free(past[1]);
		past[1] = past[0];
		past[0] = step;
		step = NULL;
	}
	free(step);
	free(past[0]);
	free(past[1]);
	return kind;
}

static bool is_lasting(enum db_kind kind)
{
	return kind == DB_COMMAND || kind == DB_SETUP;
}

static void describe_failure(const struct db_failure *failure, struct build_end *end)
{
	static const struct {
		const char *prefix, *category, *code;
	} known[] = {
		{ "42P01", "NOT_FOUND", "INDEX_NOT_FOUND" }, /* the table was dropped */
		{ "42P07", "CONFLICT", "INDEX_NAME_TAKEN" },
		{ "22", "INVALID", "DATABASE_ERROR" },
		{ "54", "INVALID", "DATABASE_ERROR" }, /* pgvector's limits, maintenance_work_mem */
		{ "", "INTERNAL", "DATABASE_ERROR" },
	};
	size_t i = 0;
	while (strncmp(failure->sqlstate, known[i].prefix, strlen(known[i].prefix)) != 0)
		i++;
	end->category = known[i].category;
	end->code = known[i].code;
	end->message = failure->message;
}

/* Records how the build ended. If that fails, the row's lease expires and the build runs again. */
static void end_build(struct builder *b, const struct build_end *end)
{
	struct db_failure failure;
	bool ours = false;
	if (!index_sessions_open_rows(&b->sessions, &failure) ||
		build_rows_end(&b->table, &b->build, end, &ours, &failure) != DB_OK)
		log_warn(b->engine->log,
			"the end of an index build can't be recorded: the build runs again",
			LOG_STR("index", b->build.index), LOG_STR("error", failure.message));
	b->taken = !ours;
}

static double build_seconds(const struct builder *b)
{
	return (double)(clock_tick_ms() - b->started_at) / 1000;
}

static void build_failed(struct builder *b, enum db_kind kind, const struct db_failure *failure)
{
	/* The message may end within a character, which PostgreSQL would reject. */
	struct db_failure cause = *failure, ignored;
	unicode_clean(cause.message);
	struct build_end end = { .state = "waiting", .message = cause.message };
	if (is_lasting(kind)) {
		end.state = "failed";
		describe_failure(&cause, &end);
		/* An invalid index still costs every write, and may make writes fail. */
		if (b->sessions.build && run_steps(b, true, &ignored) != DB_OK)
			log_warn(b->engine->log,
				"the remains of a failed index build can't be dropped",
				LOG_STR("index", b->build.index),
				LOG_STR("error", ignored.message));
		metrics_add(b->engine->metrics, METRIC_BUILDS_FAILED, 1);
	} else {
		end.retry_ms = builder_backoff_ms((unsigned)b->build.attempts - 1);
	}
	log_at(b->engine->log, is_lasting(kind) ? LOG_ERROR : LOG_WARN,
		is_lasting(kind) ? "index build failed" : "index build interrupted: it runs again",
		LOG_STR("index", b->build.index), LOG_STR("error", failure->message),
		LOG_STR("sqlstate", failure->sqlstate), LOG_REAL("seconds", build_seconds(b)));
	end_build(b, &end);
}

/* Leaves the build to another worker. The builder's own session works until the end; the pool's sessions do not. */
static void leave_build(struct builder *b)
{
	struct db_failure failure = { .kind = DB_LOST };
	char *sql = build_rows_leave(&b->table, &b->build);
	if (b->sessions.build)
		failure.kind = build_session_run(b->sessions.build, sql, &b->watch, NULL, &failure);
	free(sql);
	if (failure.kind != DB_OK)
		end_build(b, &(struct build_end){ .state = "waiting" });
	log_info(b->engine->log, "index build left to the next worker",
		LOG_STR("index", b->build.index));
}

static void build_is_over(struct builder *b, enum db_kind kind, const struct db_failure *failure)
{
	/* The command that cancelled a statement says so in the row when its transaction
	 * commits. */
	if (kind == DB_CONTEND && b->sessions.alone && !atomic_load(&b->stopping))
		index_sessions_close_build(&b->sessions);
	if (kind == DB_CONTEND && !b->taken && !atomic_load(&b->stopping) && builder_renew(b))
		b->taken = false;
	if (b->taken) {
		log_info(b->engine->log, "index build cancelled", LOG_STR("index", b->build.index));
	} else if (kind == DB_OK) {
		end_build(b, &(struct build_end){ .state = "done" });
		metrics_add(b->engine->metrics, METRIC_BUILDS, 1);
		log_info(b->engine->log, "index built", LOG_STR("index", b->build.index),
			LOG_REAL("seconds", build_seconds(b)));
	} else if (atomic_load(&b->stopping)) {
		leave_build(b);
	} else {
		build_failed(b, kind, failure);
	}
}

/* The server gives the builder one session: the build gets it, with a lease for as long as it may take. */
static bool go_alone(struct builder *b)
{
	struct build_progress progress;
	struct db_failure failure;
	b->table.lease_seconds = ALONE_LEASE_SECONDS;
	enum db_kind kind = build_rows_renew(&b->table, &b->build, &progress, &failure);
	b->table.lease_seconds = LEASE_SECONDS;
	if (kind != DB_OK || !progress.ours)
		return false;
	b->renewed_at = clock_tick_ms();
	b->sessions.alone = true;
	index_sessions_close_rows(&b->sessions);
	return true;
}

static bool open_session(struct builder *b, struct db_failure *failure)
{
	if (index_sessions_open_build(&b->sessions, failure))
		return true;
	if (!b->sessions.refused || !go_alone(b))
		return false;
	bool open = index_sessions_open_build(&b->sessions, failure);
	b->sessions.alone &= open;
	return open;
}

static void do_build(struct builder *b)
{
	struct db_failure failure = { .kind = DB_OK };
	b->started_at = b->renewed_at = b->logged_at = clock_tick_ms();
	b->taken = false;
	log_info(b->engine->log, "index build started", LOG_STR("index", b->build.index),
		LOG_STR("schema", b->build.schema), LOG_INT("attempt", b->build.attempts));
	metrics_gauge_add(b->engine->metrics, GAUGE_BUILDS_RUNNING, 1);
	enum db_kind kind = failure.kind = DB_OUTAGE;
	if (open_session(b, &failure))
		kind = run_steps(b, false, &failure);
	build_is_over(b, kind, &failure);
	index_sessions_close_build(&b->sessions);
	metrics_gauge_add(b->engine->metrics, GAUGE_BUILDS_RUNNING, -1);
}

/* --- replies --- */

/* Waits until Kafka has acknowledged all replies. Returns false if the worker ends first. */
static bool wait_answers(struct builder *b)
{
	struct db_failure failure;
	int64_t renewed = clock_tick_ms(), stopping_at = 0;
	while (atomic_load(&b->answers.under_way) > 0) {
		if (atomic_load(&b->stopping) && stopping_at == 0)
			stopping_at = clock_tick_ms();
		if (stopping_at && clock_tick_ms() - stopping_at > LAST_ANSWERS_MS)
			return false;
		wait_wake(b, POLL_MS / 4);
		if (clock_tick_ms() - renewed < ANSWER_RENEW_MS)
			continue;
		renewed = clock_tick_ms();
		if (index_sessions_open_rows(&b->sessions, &failure) &&
			build_rows_answered(&b->table, b->answers.id, b->answers.token,
				LEASE_SECONDS, &failure) != DB_OK)
			builder_see_outage(b, &failure);
	}
	return true;
}

static enum db_kind end_answers(struct builder *b, struct db_failure *failure)
{
	struct builder_answers *a = &b->answers;
	int keep_seconds = -1;
	if (a->bad)
		log_error(b->engine->log, "replies of an index build can't be read: they are kept",
			LOG_INT("build", a->id));
	if (atomic_load(&a->refused))
		log_error(b->engine->log,
			"a dead letter of an index build can't be produced: it is kept",
			LOG_INT("build", a->id),
			LOG_STR("help", "create the dead-letter topic (stowage topics create)"));
	if (a->bad || atomic_load(&a->refused))
		keep_seconds = REFUSED_SECONDS;
	else if (atomic_load(&a->lost))
		keep_seconds = 0;
	return build_rows_answered(&b->table, a->id, a->token, keep_seconds, failure);
}

/* Sends the replies of one ended build. *worked: there was one. */
static enum db_kind builder_answer(struct builder *b, bool *worked, struct db_failure *failure)
{
	struct builder_answers *a = &b->answers;
	a->id = 0;
	atomic_store(&a->lost, false);
	atomic_store(&a->refused, false);
	enum db_kind kind = build_rows_answers(&b->table, builder_answers_send, a, failure);
	arena_reset(a->arena);
	*worked = a->id != 0;
	if (kind != DB_OK || !*worked || !wait_answers(b))
		return kind;
	return end_answers(b, failure);
}

/* --- the thread --- */

static enum db_kind builder_work(struct builder *b, bool *worked, struct db_failure *failure)
{
	if (!index_sessions_open_rows(&b->sessions, failure))
		return failure->kind;
	enum db_kind kind = builder_answer(b, worked, failure);
	if (kind != DB_OK || *worked || atomic_load(&b->stopping))
		return kind;
	kind = build_rows_claim(&b->table, &b->build, failure);
	if (kind != DB_OK)
		return kind;
	*worked = b->build.found;
	if (b->build.found)
		do_build(b);
	return DB_OK;
}

static void builder_failed(struct builder *b, enum db_kind kind, const struct db_failure *failure)
{
	if (kind == DB_STALE)
		connection_forget_statements(b->table.connection);
	else if (kind == DB_COMMAND || kind == DB_CONTEND)
		log_at_limited(b->engine->log, kind == DB_COMMAND ? LOG_ERROR : LOG_WARN,
			"index builds can't be queried", "DATABASE_ERROR",
			LOG_STR("error", failure->message), LOG_STR("sqlstate", failure->sqlstate));
	else if (kind != DB_LOST || b->failures)
		builder_see_outage(b, failure);
}

static void builder_succeeded(struct builder *b)
{
	if (b->failures && !lanes_have_outage(b->engine->lanes))
		outage_over(b->engine->outage);
	b->failures = 0;
}

/* Waits for the next look. An idle builder keeps no session: others may need it. */
static void builder_rest(struct builder *b, bool worked, enum db_kind kind)
{
	int64_t now = clock_tick_ms();
	if (worked)
		b->worked_at = now;
	bool idle = now - b->worked_at >= KEEP_MS || pool_is_scarce(b->engine->pool);
	if (kind == DB_OK && worked)
		return;
	if (idle)
		index_sessions_close_rows(&b->sessions);
	int64_t delay_ms = idle || kind != DB_OK ? IDLE_POLL_MS : POLL_MS;
	int64_t backoff_ms = kind == DB_OK ? delay_ms : builder_backoff_ms(b->failures++);
	wait_wake(b, (int)(backoff_ms < delay_ms ? backoff_ms : delay_ms));
}

static void *builder_run(void *arg)
{
	struct builder *b = arg;
	while (!atomic_load(&b->stopping)) {
		struct db_failure failure;
		bool worked = false;
		enum db_kind kind = builder_work(b, &worked, &failure);
		if (kind == DB_OK)
			builder_succeeded(b);
		else
			builder_failed(b, kind, &failure);
		if (connection_is_open(b->table.connection) && !atomic_load(&b->stopping) &&
			expiry_work(&b->expiry, b->table.connection, b->engine->log))
			b->worked_at = clock_tick_ms();
		builder_rest(b, worked, kind);
	}
	index_sessions_close_rows(&b->sessions);
	return NULL;
}

struct builder *builder_start(const struct engine *engine)
{
	struct builder *b = alloc_zero(1, sizeof(*b));
	b->engine = engine;
	b->wake_fd = engine->builder_wake_fd;
	uuid_v4(b->owner);
	b->table = (struct build_table){ .connection = connection_new(&engine->connection),
		.params = params_new(),
		.schema = engine->config->postgres.schema_name,
		.owner = b->owner,
		.lease_seconds = LEASE_SECONDS };
	b->sessions = (struct index_sessions){
		.engine = engine, .rows = b->table.connection, .stopping = &b->stopping
	};
	connection_limit_syncs(b->table.connection,
		(struct statement_limits){ .run_ms = STATEMENT_MS, .lock_ms = LOCK_MS });
	b->expiry = expiry_new(&(struct idempotency_table){ .schema = b->table.schema,
		.params = b->table.params,
		.keep_ms = engine->config->idempotency.keep_ms });
	b->watch = (struct build_session_watch){ b->wake_fd, builder_tick, b };
	b->answers = (struct builder_answers){
		.engine = engine, .arena = arena_new(ARENA_KEEP), .wake_fd = b->wake_fd
	};
	if (pthread_create(&b->thread, NULL, builder_run, b)) {
		perror("stowage: builder");
		abort();
	}
	return b;
}

static void builder_wake(struct builder *b)
{
	uint64_t one = 1;
	if (write(b->wake_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full, so the builder has still to see a wake-up */
}

void builder_stop(struct builder *b)
{
	atomic_store(&b->stopping, true);
	builder_wake(b);
	pthread_join(b->thread, NULL);
}

void builder_free(struct builder *b)
{
	if (!b)
		return;
	connection_free(b->table.connection);
	params_free(b->table.params);
	arena_free(b->answers.arena);
	free(b);
}
