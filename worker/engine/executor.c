/* executor.c - a thread with a connection: claims lanes, runs batches and detached reads, retries */
#include "worker/engine/executor.h"

#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/avro/framing.h"
#include "schemas/base/alloc.h"
#include "schemas/base/buffer.h"
#include "schemas/base/clock.h"
#include "worker/engine/claim.h"
#include "worker/engine/crash.h"
#include "worker/engine/deliver.h"
#include "worker/engine/detached_read.h"
#include "worker/lanes/work.h"

#define BACKOFF_MS 100
#define BACKOFF_MAX_MS 5000
/* An executor that the server refuses a session tries again after this time, and ever later, up to 32
 * times as long. */
#define REFUSED_MS 1000
/* While PostgreSQL refuses connections, an idle session is closed after this time: another worker may need
 * it. */
#define SCARCE_KEEP_MS 2000
/* An executor that gave its session up waits this long for the part that needs it. */
#define YIELD_MS 2000
/* More sessions than these that break in a row under the same work are an outage. */
#define LOST_PASSING 2
/* A fenced lane that is still assigned is claimed again after this delay: by then its new owner has
 * it, or an operator has moved its offset. */
#define FENCED_MS 1500
/* After this many consecutive losses of its prepared statements, a session has no passing problem. */
#define STALE_PASSING 3
#define REPLY_BUFFER_KEEP (1024 * 1024)
/* Without work for this long, an executor frees its buffers. */
#define REST_MS 300
/* A reply of a burst of reads waits for others for this part of the last read's waiting time. */
#define GATHER_PART 4

struct executor {
	const struct engine *engine;
	pthread_t thread;
	struct transaction transaction;
	struct buffer reply;
	struct batch batch;
	struct waiter waiter;
	unsigned failures; /* consecutive, for the backoff */
	unsigned refusals; /* consecutive connections that the server refused this executor alone */
	unsigned generation; /* of the pool, when the session was opened */
	bool refused;        /* steps back until it has a session */
	unsigned seed;
	bool resting;    /* had no work for REST_MS */
	int64_t idle_at; /* clock_tick_ms when the last work ended */
};

/* --- connection --- */

/* Not all executors at the same moment. */
static int64_t executor_jitter(struct executor *x, int64_t delay)
{
	return delay / 2 + rand_r(&x->seed) % (delay / 2 + 1);
}

static int64_t executor_backoff_ms(struct executor *x)
{
	int64_t delay = BACKOFF_MS << (x->failures > 6 ? 6 : x->failures);
	if (delay > BACKOFF_MAX_MS)
		delay = BACKOFF_MAX_MS;
	x->failures++;
	return executor_jitter(x, delay);
}

static void executor_disconnect(struct executor *x)
{
	if (!connection_is_open(x->transaction.connection))
		return;
	connection_close(x->transaction.connection);
	pool_gives(x->engine->pool);
	pool_closed(x->engine->pool);
}

/* False: x->refused says that other parts of the worker have sessions or wait for one; otherwise the cause
 * is in *failure. */
static bool executor_connect(struct executor *x, struct db_failure *failure)
{
	struct connection *connection = x->transaction.connection;
	struct pool *pool = x->engine->pool;
	unsigned generation = pool_generation(pool);
	if (x->generation != generation)
		executor_disconnect(x);
	if (connection_is_open(connection))
		return true;
	x->generation = generation;
	x->refused = pool_is_wanted(pool);
	if (x->refused)
		return false;
	pool_opening(pool);
	if (!connection_open(connection, failure)) {
		x->refused = pool_failed(pool, failure);
		if (x->refused)
			lanes_rouse(x->engine->lanes);
		return false;
	}
	x->refusals = 0;
	pool_opened(pool, connection_is_pooled(connection));
	return true;
}

/* Returns true, and counts the connection as closed, if a failure of that kind ended the session. */
static bool executor_lost_session(struct executor *x, enum db_kind kind)
{
	bool lost = kind == DB_LOST || !connection_is_open(x->transaction.connection);
	if (lost)
		pool_closed(x->engine->pool);
	return lost;
}

/* The server refuses this executor a session, while others have one. It tries again slowly, and holds no
 * work meanwhile. */
static void executor_step_back(struct executor *x)
{
	struct db_failure failure;
	pool_step_back(x->engine->pool);
	lanes_executor_away(x->engine->lanes, true);
	do {
		int64_t delay = REFUSED_MS << (x->refusals > 5 ? 5 : x->refusals);
		x->refusals++;
		x->refused = pool_wait(x->engine->pool, executor_jitter(x, delay)) &&
			!executor_connect(x, &failure) && x->refused;
		x->idle_at = clock_tick_ms();
	} while (x->refused);
	lanes_executor_away(x->engine->lanes, false);
	pool_return(x->engine->pool);
}

static void executor_release(struct executor *x, const struct work *work, enum lane_state state,
	int64_t delay_ms)
{
	for (size_t i = 0; i < work->lane_count; i++)
		lanes_done(x->engine->lanes, work->lanes[i], state, delay_ms);
}

/* --- failures --- */

static void executor_forget_statements(struct executor *x)
{
	struct connection *connection = x->transaction.connection;
	connection_forget_statements(connection);
	pool_statements_lost(x->engine->pool, connection_is_pooled(connection));
}

/* Did only this session break? A broken session is opened again; it is an outage if the same work
 * breaks sessions again and again, or if the server then cannot be reached. */
static bool executor_only_lost(struct executor *x, const struct work *work, enum db_kind kind)
{
	int losses = work->retries + 1;
	for (size_t i = 0; kind == DB_LOST && i < work->lane_count; i++) {
		int lost = lanes_count_loss(x->engine->lanes, work->lanes[i]);
		losses = lost > losses ? lost : losses;
	}
	return kind == DB_LOST && losses <= LOST_PASSING;
}

static void executor_see_outage(struct executor *x, const struct work *work, enum db_kind kind,
	const struct db_failure *failure)
{
	if (executor_only_lost(x, work, kind)) {
		log_debug(x->engine->log, "a database session broke: opening another one",
			LOG_STR("error", failure->message), LOG_STR("sqlstate", failure->sqlstate));
		return;
	}
	for (size_t i = 0; i < work->lane_count; i++)
		lanes_set_outage(x->engine->lanes, work->lanes[i], true);
	outage_seen(x->engine->outage, failure);
}

/* Logs the failure and returns the delay before the next retry. */
static int64_t executor_failed(struct executor *x, const struct work *work, enum db_kind kind,
	const struct db_failure *failure)
{
	if (kind == DB_STALE)
		executor_forget_statements(x);
	if (kind == DB_STALE && work->retries < STALE_PASSING)
		return 1;
	if (kind == DB_CONTEND || kind == DB_COMMAND || kind == DB_STALE)
		log_at(x->engine->log, kind == DB_CONTEND ? LOG_DEBUG : LOG_ERROR,
			"rolled back, running again", LOG_STR("error", failure->message),
			LOG_STR("sqlstate", failure->sqlstate));
	else
		executor_see_outage(x, work, kind, failure);
	return executor_backoff_ms(x);
}

/* There is no session to do the work with: it waits for the database, or goes to another executor. */
static void executor_leave(struct executor *x, const struct work *work, enum lane_state state,
	const struct db_failure *failure)
{
	if (x->refused) {
		for (size_t i = 0; i < work->lane_count; i++)
			lanes_hand_back(x->engine->lanes, work->lanes[i], state);
		return;
	}
	executor_see_outage(x, work, failure->kind, failure);
	executor_release(x, work, state, executor_backoff_ms(x));
}

static void drop_fenced(struct executor *x, const struct work *work,
	const struct db_failure *failure)
{
	batch_give_back(&x->batch);
	for (size_t i = 0; i < work->lane_count; i++) {
		struct lane *lane = work->lanes[i];
		if (!lane_rows_fenced(failure->detail, i)) {
			lanes_done(x->engine->lanes, lane, LANE_RUNNING, 0);
			continue;
		}
		metrics_add(x->engine->metrics, METRIC_FENCED, 1);
		log_warn(x->engine->log,
			"partition dropped: another worker claimed it, or an operator set its "
			"offset",
			LOG_STR("topic", lane->topic), LOG_INT("partition", lane->partition),
			LOG_INT("epoch", lane->offsets.epoch));
		lanes_done(x->engine->lanes, lane, LANE_UNCLAIMED, FENCED_MS);
	}
}

/* Commands that need more time than a shared batch has run again alone, and their neighbours at once.
 * Returns false if there are none. */
static bool part_slow_lanes(struct executor *x, const struct work *work)
{
	bool any = false;
	for (size_t i = 0; i < x->batch.lane_count; i++) {
		if (x->batch.lanes[i].slow)
			lanes_set_slow(x->engine->lanes, x->batch.lanes[i].lane, true);
		any |= x->batch.lanes[i].slow;
	}
	if (!any)
		return false;
	batch_give_back(&x->batch);
	executor_release(x, work, LANE_RUNNING, 0);
	return true;
}

static void batch_failed(struct executor *x, const struct work *work, enum db_kind kind,
	const struct db_failure *failure)
{
	metrics_add(x->engine->metrics, METRIC_BATCH_RETRIES, 1);
	if (kind == DB_CONTEND && part_slow_lanes(x, work))
		return;
	if (kind == DB_FENCED) {
		drop_fenced(x, work, failure);
		return;
	}
	int64_t delay_ms = executor_failed(x, work, kind, failure);
	bool lost = executor_lost_session(x, kind);
	crash_run_failed(&x->transaction, work, lost, failure);
	if (lost) {
		batch_finish(&x->batch);
		/* A COMMIT may have been in flight: the row says whether it arrived. */
		executor_release(x, work, LANE_UNCLAIMED, delay_ms);
	} else {
		batch_give_back(&x->batch);
		executor_release(x, work, LANE_RUNNING, delay_ms);
	}
}

/* The database did the work. Call it while the executor still has the lanes. */
static void executor_succeeded(struct executor *x, const struct work *work)
{
	const struct engine *engine = x->engine;
	x->failures = 0;
	if (!outage_lasts(engine->outage))
		return;
	for (size_t i = 0; i < work->lane_count; i++)
		lanes_set_outage(engine->lanes, work->lanes[i], false);
	if (!lanes_have_outage(engine->lanes))
		outage_over(engine->outage);
}

/* --- claims --- */

static void run_claim(struct executor *x, const struct work *work)
{
	struct db_failure failure;
	if (!executor_connect(x, &failure)) {
		crash_not_claimed(x->engine, work->lanes[0]);
		executor_leave(x, work, LANE_UNCLAIMED, &failure);
		return;
	}
	struct claim_end end = claim_lane(&x->transaction, work->lanes[0], &failure);
	if (end.failed) {
		crash_not_claimed(x->engine, work->lanes[0]);
		executor_lost_session(x, failure.kind);
		if (failure.kind == DB_STALE)
			executor_forget_statements(x);
		else if (failure.kind != DB_CONTEND)
			executor_see_outage(x, work, failure.kind, &failure);
	} else if (end.state == LANE_SEEKING) {
		executor_succeeded(x, work);
	}
	executor_release(x, work, end.state, end.delay_ms);
}

/* --- batches --- */

static enum db_kind run_transaction(struct executor *x, int retries, bool alone,
	struct db_failure *failure, bool *written)
{
	x->transaction.retries = retries;
	x->transaction.alone = alone;
	metrics_gauge_add(x->engine->metrics, GAUGE_POOL_BUSY, 1);
	enum db_kind kind = transaction_run(&x->transaction, &x->batch, failure, written);
	metrics_gauge_add(x->engine->metrics, GAUGE_POOL_BUSY, -1);
	return kind;
}

static void batch_committed(struct executor *x, const struct work *work, bool written,
	double started)
{
	const struct engine *engine = x->engine;
	executor_succeeded(x, work);
	if (work->slow && x->transaction.longest_ms < QUICK_MS / 2)
		lanes_set_slow(engine->lanes, work->lanes[0], false);
	deliver_batch(engine, &x->batch, written);
	deliver_count(engine, &x->batch);
	crash_run_passed(&x->transaction, work, written);
	if (x->batch.job_count) {
		metrics_add(engine->metrics, METRIC_BATCHES, 1);
		metrics_observe(engine->metrics, HISTOGRAM_BATCH_COMMANDS,
			(double)x->batch.job_count);
		metrics_observe(engine->metrics, HISTOGRAM_BATCH_SECONDS,
			clock_tick_seconds() - started);
	}
	batch_finish(&x->batch);
	executor_release(x, work, LANE_RUNNING, 0);
}

/* Fills the batch. False: there is nothing to run, and the lanes are released. */
static bool collect_batch(struct executor *x, const struct work *work)
{
	if (work->kind == WORK_CHECKPOINT) {
		batch_checkpoint(&x->batch, work->lanes, work->lane_count);
		return true;
	}
	batch_collect(&x->batch, work->lanes, work->lane_count);
	if (x->batch.job_count > 0)
		return true;
	batch_finish(&x->batch);
	executor_release(x, work, LANE_RUNNING, 0);
	return false;
}

static void run_batch(struct executor *x, const struct work *work)
{
	struct db_failure failure;
	double started = clock_tick_seconds();
	if (!executor_connect(x, &failure)) {
		executor_leave(x, work, LANE_RUNNING, &failure);
		return;
	}
	if (!collect_batch(x, work))
		return;
	if (work->small && batch_is_awaited(&x->batch))
		lanes_awaited(x->engine->lanes);
	bool written = false;
	enum db_kind kind = crash_count_run(&x->transaction, &x->batch, work, &failure)
		? run_transaction(x, work->retries, work->slow, &failure, &written)
		: failure.kind;
	if (kind == DB_OK)
		batch_committed(x, work, written, started);
	else
		batch_failed(x, work, kind, &failure);
}

/* --- detached reads --- */

static void retry_read(struct executor *x, struct detached_read *read, int64_t delay_ms)
{
	read->retry_at = clock_tick_ms() + delay_ms;
	lanes_retry_read(x->engine->lanes, read);
}

static void end_read(struct executor *x, struct detached_read *read)
{
	lanes_read_done(x->engine->lanes, read);
	lanes_free_read(x->engine->lanes, read);
}

static void read_failed(struct executor *x, const struct work *work, enum db_kind kind,
	const struct db_failure *failure)
{
	struct detached_read *read = work->read;
	int64_t delay_ms = executor_failed(x, work, kind, failure);
	read->retries++;
	if (executor_lost_session(x, kind))
		crash_read_lost(&x->transaction, read, failure);
	batch_finish(&x->batch);
	retry_read(x, read, delay_ms);
}

/* While reads wait, replies come in a row. Replies that share a request cost Kafka, the clients and
 * the next commands a fraction. So a reply waits for others, for a small part of the time that the
 * last read of the burst waits. */
static void flush_replies(struct executor *x, int64_t took_ms)
{
	int64_t wait_ms = lanes_detached_wait_ms(x->engine->lanes, took_ms);
	if (wait_ms)
		producer_flush_gathered(x->engine->producer, wait_ms / GATHER_PART);
	else
		producer_flush(x->engine->producer);
}

static void read_succeeded(struct executor *x, const struct work *work, int64_t started)
{
	struct detached_read *read = work->read;
	executor_succeeded(x, work);
	if (!deliver_detached(x->engine, &x->batch)) {
		lane_ref(x->engine->lanes, read->lane);
		lanes_reply_done(x->engine->lanes, read->lane, read->generation, NULL,
			read->offset);
	}
	flush_replies(x, clock_tick_ms() - started);
	deliver_count(x->engine, &x->batch);
	batch_finish(&x->batch);
	end_read(x, read);
}

/* There is no session for the read: it waits for the database, or another executor takes it. */
static void leave_read(struct executor *x, const struct work *work,
	const struct db_failure *failure)
{
	if (!x->refused)
		executor_see_outage(x, work, failure->kind, failure);
	retry_read(x, work->read, x->refused ? 0 : executor_backoff_ms(x));
}

static void run_read(struct executor *x, const struct work *work)
{
	struct detached_read *read = work->read;
	int64_t started = clock_tick_ms();
	struct db_failure failure;
	bool written;
	if (!lanes_read_wanted(x->engine->lanes, read)) {
		end_read(x, read);
		return;
	}
	if (!executor_connect(x, &failure)) {
		leave_read(x, work, &failure);
		return;
	}
	batch_detached(&x->batch, detached_read_job(read), read->generation);
	crash_count_read(&x->transaction, &x->batch, read);
	enum db_kind kind = run_transaction(x, read->retries, true, &failure, &written);
	if (kind == DB_OK)
		read_succeeded(x, work, started);
	else
		read_failed(x, work, kind, &failure);
}

/* --- the thread --- */

/* Another part of the worker waits for a session, and the server refuses it one. */
static void executor_yield(struct executor *x)
{
	struct pool *pool = x->engine->pool;
	if (!connection_is_open(x->transaction.connection) || !pool_must_yield(pool))
		return;
	executor_disconnect(x);
	pool_yield(pool, YIELD_MS);
}

/* How long an idle session stays open from now on. */
static int executor_idle_ms(const struct executor *x)
{
	int64_t keep_ms = x->engine->config->postgres.idle_timeout_ms;
	int64_t idle_ms = clock_tick_ms() - x->idle_at;
	if (!connection_is_open(x->transaction.connection))
		return INT_MAX;
	if (keep_ms == 0)
		keep_ms = INT_MAX;
	if (keep_ms > SCARCE_KEEP_MS && pool_is_scarce(x->engine->pool))
		keep_ms = SCARCE_KEEP_MS;
	return keep_ms > idle_ms ? (int)(keep_ms - idle_ms) : 0;
}

/* Without work: frees the buffers first, then the connection. */
static void executor_rest(struct executor *x, bool roused)
{
	if (x->generation != pool_generation(x->engine->pool) || executor_idle_ms(x) == 0)
		executor_disconnect(x);
	if (x->resting || roused)
		return;
	batch_trim(&x->batch);
	buffer_free(&x->reply);
	params_trim(x->transaction.session.params);
	params_trim(x->transaction.table.params);
	malloc_trim(0);
}

static void executor_work(struct executor *x, const struct work *work)
{
	switch (work->kind) {
	case WORK_CLAIM:
		run_claim(x, work);
		break;
	case WORK_DETACHED:
		run_read(x, work);
		break;
	case WORK_BATCH:
	case WORK_CHECKPOINT:
		run_batch(x, work);
		break;
	case WORK_NONE:
	case WORK_QUIT:
		executor_rest(x, work->roused);
		break;
	}
	if (work->kind != WORK_NONE)
		x->idle_at = clock_tick_ms();
	x->resting = work->kind == WORK_NONE && (x->resting || !work->roused);
	if (x->reply.capacity > REPLY_BUFFER_KEEP)
		buffer_free(&x->reply);
}

static void *executor_run(void *arg)
{
	struct executor *x = arg;
	struct work work;
	for (;;) {
		if (x->refused)
			executor_step_back(x);
		executor_yield(x);
		lanes_next(x->engine->lanes, &work, &x->waiter,
			x->resting ? executor_idle_ms(x) : REST_MS);
		if (work.kind == WORK_QUIT)
			break;
		executor_work(x, &work);
	}
	executor_disconnect(x);
	return NULL;
}

struct executor *executor_start(const struct engine *engine)
{
	struct executor *x = alloc_zero(1, sizeof(*x));
	x->engine = engine;
	x->seed = (unsigned)(uintptr_t)x;
	x->reply = buffer_empty(FRAMING_SINGLE_OBJECT_SIZE + engine->settings.max_reply_bytes);
	waiter_init(&x->waiter);
	batch_init(&x->batch, engine);
	transaction_init(&x->transaction, engine, &x->reply);
	if (pthread_create(&x->thread, NULL, executor_run, x)) {
		perror("stowage: pthread_create");
		abort();
	}
	return x;
}

void executor_join(struct executor *x)
{
	pthread_join(x->thread, NULL);
	batch_free(&x->batch);
	buffer_free(&x->reply);
	transaction_end(&x->transaction);
	free(x);
}
