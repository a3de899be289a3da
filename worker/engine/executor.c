/* executor.c - see executor.h */
#include "worker/engine/executor.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "handlers/core/hints.h"
#include "handlers/domains/command_table.h"
#include "schemas/base/alloc.h"
#include "schemas/base/buffer.h"
#include "schemas/base/clock.h"
#include "worker/engine/claim.h"
#include "worker/engine/reply.h"

#define BACKOFF_MS 100
#define BACKOFF_MAX_MS 5000
/* A lane that was fenced, yet is still assigned, is taken again after a while: whoever fenced it
 * is its owner by then, or an operator has moved its offset. */
#define FENCED_MS 1500
/* Batches in a row that may end by a cancelled statement; then it is the statement's own fault
 * (statement_timeout), and its command is looked for. */
#define CANCELS_PASSING 3
/* Times in a row that a session may have lost its prepared statements; then it is no passing change. */
#define STALE_PASSING 3
#define REPLY_BUFFER_KEEP (1024 * 1024)
/* Without work for so long, an executor gives its buffers back. */
#define REST_MS 300
/* Of the time until the last of a burst of reads has its turn, what a reply may wait for others. */
#define GATHER_PART 4

struct executor {
	struct context_hooks hooks;
	const struct engine *engine;
	pthread_t thread;
	struct transaction transaction;
	struct buffer reply;
	struct batch batch;
	struct waiter waiter;
	unsigned failures; /* in a row, for the back-off */
	unsigned seed;
	bool resting; /* had no work for REST_MS */
};

static int64_t executor_backoff_ms(struct executor *x)
{
	int64_t delay = BACKOFF_MS << (x->failures > 6 ? 6 : x->failures);
	if (delay > BACKOFF_MAX_MS)
		delay = BACKOFF_MAX_MS;
	x->failures++;
	/* Not all executors at the same moment. */
	return delay / 2 + rand_r(&x->seed) % (delay / 2 + 1);
}

static bool open_connection(struct executor *x, struct db_failure *failure)
{
	if (connection_is_open(x->transaction.connection))
		return true;
	if (!connection_open(x->transaction.connection, failure))
		return false;
	metrics_add(x->engine->metrics, METRIC_CONNECTS, 1);
	metrics_gauge_add(x->engine->metrics, GAUGE_POOL_SIZE, 1);
	return true;
}

static void executor_disconnect(struct executor *x)
{
	if (!connection_is_open(x->transaction.connection))
		return;
	connection_close(x->transaction.connection);
	metrics_gauge_add(x->engine->metrics, GAUGE_POOL_SIZE, -1);
}

static void executor_release(struct executor *x, const struct work *work, enum lane_state state,
	int64_t delay_ms)
{
	for (size_t i = 0; i < work->lane_count; i++)
		lanes_done(x->engine->lanes, work->lanes[i], state, delay_ms);
}

/* --- after a batch that is in --- */

static enum metric_outcome outcome_of(const struct call *call)
{
	static const enum metric_outcome outcomes[] = {
		[FAILURE_INVALID] = OUTCOME_INVALID,
		[FAILURE_NOT_FOUND] = OUTCOME_NOT_FOUND,
		[FAILURE_CONFLICT] = OUTCOME_CONFLICT,
		[FAILURE_UNSUPPORTED] = OUTCOME_UNSUPPORTED,
		[FAILURE_TIMEOUT] = OUTCOME_TIMEOUT,
		[FAILURE_UNAVAILABLE] = OUTCOME_UNAVAILABLE,
		[FAILURE_INTERNAL] = OUTCOME_INTERNAL,
	};
	return call->state == CALL_FAILED ? outcomes[call->failure.category] : OUTCOME_OK;
}

static void log_failed(const struct executor *x, const struct job *job)
{
	const struct failure *f = &job->call.failure;
	log_at(x->engine->log, job_is_dead_letter(job) ? LOG_WARN : LOG_INFO,
		job_is_dead_letter(job) ? "command dead-lettered" : "command failed",
		LOG_STR("topic", job->lane->topic), LOG_INT("partition", job->lane->partition),
		LOG_INT("offset", job->message->offset),
		LOG_STR("command", job->command >= 0 ? command_defs[job->command].name : NULL),
		LOG_STR("code", f->code), LOG_STR("category", failure_category_name(f->category)),
		LOG_STR("error", f->message));
}

static void count_job(const struct executor *x, const struct job *job, int64_t now_ms)
{
	struct metrics *metrics = x->engine->metrics;
	if (job->skip || job->detached)
		return;
	metrics_command(metrics, job->command, outcome_of(&job->call));
	if (job->call.repairs)
		metrics_add(metrics, METRIC_TEXT_REPAIRS, job->call.repairs);
	rd_kafka_timestamp_type_t type;
	int64_t sent_ms = rd_kafka_message_timestamp(job->message, &type);
	if (sent_ms > 0)
		metrics_observe(metrics, HISTOGRAM_AGE_SECONDS, (double)(now_ms - sent_ms) / 1000);
	if (job->call.state == CALL_FAILED)
		log_failed(x, job);
}

/* Writes down where the batch's lanes stand now, and opens their ledgers for its replies. */
static void enter_lanes(struct executor *x, bool written)
{
	struct batch *batch = &x->batch;
	lanes_lock(x->engine->lanes);
	for (size_t i = 0; i < batch->lane_count; i++) {
		struct batch_lane *part = &batch->lanes[i];
		struct lane *lane = part->lane;
		lane->position = part->end;
		lane->suspect = lane->suspect && lane->position < lane->suspect_end;
		if (!written)
			continue;
		lane->applied = part->new_applied;
		lane->answered = part->new_answered;
		lane->advanced_at = clock_tick_ms();
		if (lane->reply_generation != part->reply_generation || part->acked_count == 0)
			continue; /* told meanwhile to be taken anew; or nothing to forget */
		lane->acked_count -= part->acked_count;
		memmove(lane->acked, lane->acked + part->acked_count,
			lane->acked_count * sizeof(*lane->acked));
	}
	lanes_unlock(x->engine->lanes);
}

static void send_stored(struct executor *x, struct batch_lane *part)
{
	if (!part->stored)
		return;
	struct delivery delivery = { .lane = part->lane,
		.reply_generation = part->reply_generation };
	lanes_lock(x->engine->lanes);
	bool kept = part->lane->reply_generation == part->reply_generation;
	if (kept)
		delivery.stored = lane_replies_stored(part->lane, part->seq, part->stored);
	lanes_unlock(x->engine->lanes);
	if (!kept)
		return; /* told meanwhile to be taken anew: that sends them */
	struct outgoing_reader reader;
	struct outgoing message;
	outgoing_reader_start(&reader, part->payload.bytes, part->payload.size);
	while (outgoing_read(&reader, &message))
		producer_send(x->engine->producer, &message, &delivery);
	outgoing_reader_end(&reader);
}

/* Its place in the ledger is claimed; the side has its message now, and may be gone at once. */
static void executor_detach(struct executor *x, const struct batch_lane *part, struct job *job)
{
	struct detached_read *read = alloc_zero(1, sizeof(*read));
	read->lane = part->lane;
	read->reply_generation = part->reply_generation;
	read->message = job->message;
	x->batch.held -= message_bytes(job->message); /* until the side lets go of it */
	job->message = NULL;
	lane_ref(x->engine->lanes, part->lane);
	lanes_detach_read(x->engine->lanes, read);
}

typedef void build_fn(const struct job *job, const struct engine *engine, struct arena *arena,
	struct outgoing *out);

static void send_read(struct executor *x, const struct batch_lane *part, const struct job *job,
	build_fn *build)
{
	struct outgoing message;
	struct delivery delivery = { .lane = part->lane,
		.reply_generation = part->reply_generation,
		.read_offset = job->message->offset };
	build(job, x->engine, x->batch.arena, &message);
	producer_send(x->engine->producer, &message, &delivery);
}

/* All reads of the batch enter the ledger before the first reply can be acknowledged. */
static void enter_reads(struct executor *x)
{
	lanes_lock(x->engine->lanes);
	for (size_t i = 0; i < x->batch.job_count; i++) {
		const struct job *job = &x->batch.jobs[i];
		bool kept = job->lane->reply_generation ==
			x->batch.lanes[job->lane_place].reply_generation;
		if (kept && job_replies(job) && !job_is_stored(job))
			lane_read_sent(job->lane, job->message->offset);
	}
	lanes_unlock(x->engine->lanes);
}

static void send_replies(struct executor *x)
{
	for (size_t i = 0; i < x->batch.lane_count; i++)
		send_stored(x, &x->batch.lanes[i]);
	for (size_t i = 0; i < x->batch.job_count; i++) {
		struct job *job = &x->batch.jobs[i];
		const struct batch_lane *part = &x->batch.lanes[job->lane_place];
		if (job->detached)
			executor_detach(x, part, job);
		else if (job_replies(job) && !job_is_stored(job))
			send_read(x, part, job, reply_build);
	}
	producer_flush(x->engine->producer);
}

static void wake_builder(const struct engine *engine)
{
	if (eventfd_write(engine->builder_wake_fd, 1) < 0)
		return; /* the counter is full, so the builder is awake */
}

static void batch_committed(struct executor *x, const struct work *work, bool written,
	double started)
{
	struct batch *batch = &x->batch;
	x->failures = 0;
	outage_over(x->engine->outage);
	enter_lanes(x, written);
	enter_reads(x);
	send_replies(x);
	int64_t now_ms = clock_now_ms();
	bool deferred = false;
	for (size_t i = 0; i < batch->job_count; i++) {
		count_job(x, &batch->jobs[i], now_ms);
		deferred |= batch->jobs[i].call.state == CALL_DEFERRED;
	}
	if (deferred)
		wake_builder(x->engine);
	if (batch->job_count) {
		metrics_add(x->engine->metrics, METRIC_BATCHES, 1);
		metrics_observe(x->engine->metrics, HISTOGRAM_BATCH_COMMANDS,
			(double)batch->job_count);
		metrics_observe(x->engine->metrics, HISTOGRAM_BATCH_SECONDS,
			clock_tick_seconds() - started);
	}
	batch_finish(batch);
	executor_release(x, work, LANE_RUNNING, 0);
}

/* --- after one that is not --- */

static void batch_is_fenced(struct executor *x, const struct work *work,
	const struct db_failure *failure)
{
	bool fenced[WORK_LANES_MAX];
	for (size_t i = 0; i < work->lane_count; i++)
		fenced[i] = lane_rows_fenced(failure->detail, i);
	batch_give_back(&x->batch);
	for (size_t i = 0; i < work->lane_count; i++) {
		struct lane *lane = work->lanes[i];
		if (fenced[i]) {
			metrics_add(x->engine->metrics, METRIC_FENCED, 1);
			log_warn(x->engine->log,
				"partition dropped: another worker claimed it, or an operator set its offset",
				LOG_STR("topic", lane->topic),
				LOG_INT("partition", lane->partition),
				LOG_INT("epoch", lane->epoch));
		}
		lanes_done(x->engine->lanes, lane, fenced[i] ? LANE_UNCLAIMED : LANE_RUNNING,
			fenced[i] ? FENCED_MS : 0);
	}
}

/* Says what is to be said of it, and to whom; returns how long to wait with another try. */
static int64_t after_failure(struct executor *x, enum db_kind kind,
	const struct db_failure *failure, int retries)
{
	if (kind == DB_STALE)
		connection_forget_statements(x->transaction.connection);
	if (kind == DB_STALE && retries < STALE_PASSING)
		return 1;
	if (kind == DB_CONTEND || kind == DB_COMMAND || kind == DB_STALE)
		log_at(x->engine->log, kind == DB_CONTEND ? LOG_DEBUG : LOG_ERROR,
			"rolled back, running again", LOG_STR("error", failure->message),
			LOG_STR("sqlstate", failure->sqlstate));
	else
		outage_seen(x->engine->outage, failure);
	return executor_backoff_ms(x);
}

/* An operator, a shutdown or another backend's crash is not this command's doing. */
static bool is_excused(const struct db_failure *failure)
{
	return strncmp(failure->sqlstate, "57P", 3) == 0;
}

static bool drop_if_lost(struct executor *x, enum db_kind kind)
{
	bool lost = kind == DB_LOST || !connection_is_open(x->transaction.connection);
	if (lost)
		metrics_gauge_add(x->engine->metrics, GAUGE_POOL_SIZE, -1);
	return lost;
}

static void batch_failed(struct executor *x, const struct work *work, enum db_kind kind,
	const struct db_failure *failure)
{
	metrics_add(x->engine->metrics, METRIC_BATCH_RETRIES, 1);
	if (kind == DB_FENCED) {
		batch_is_fenced(x, work, failure);
		return;
	}
	if (work->lanes[0]->suspect && is_excused(failure))
		work->lanes[0]->excused++;
	int64_t delay_ms = after_failure(x, kind, failure, work->lanes[0]->retries);
	if (drop_if_lost(x, kind)) {
		batch_finish(&x->batch);
		/* A COMMIT may have been on its way: the row tells whether it got there. */
		executor_release(x, work, LANE_UNCLAIMED, delay_ms);
	} else {
		batch_give_back(&x->batch);
		executor_release(x, work, LANE_RUNNING, delay_ms);
	}
}

/* --- work --- */

static bool can_connect(struct executor *x, const struct work *work, enum lane_state state)
{
	struct db_failure failure;
	if (open_connection(x, &failure))
		return true;
	outage_seen(x->engine->outage, &failure);
	executor_release(x, work, state, executor_backoff_ms(x));
	return false;
}

static void do_claim(struct executor *x, const struct work *work)
{
	struct db_failure failure;
	if (!can_connect(x, work, LANE_UNCLAIMED))
		return;
	struct claim_end end = claim_lane(&x->transaction, work->lanes[0], &failure);
	if (end.failed) {
		if (!connection_is_open(x->transaction.connection))
			metrics_gauge_add(x->engine->metrics, GAUGE_POOL_SIZE, -1);
		if (failure.kind != DB_CONTEND)
			outage_seen(x->engine->outage, &failure);
	} else if (end.state == LANE_SEEKING) {
		x->failures = 0;
		outage_over(x->engine->outage);
	}
	executor_release(x, work, end.state, end.delay_ms);
}

/* A command that broke its worker or its backend before: each attempt is counted first, and
 * after enough of them it is buried. False: the count could not be written. */
static bool count_crash(struct executor *x, struct lane *lane, struct db_failure *failure)
{
	struct batch *batch = &x->batch;
	if (!lane->suspect || batch->job_count != 1 || batch->jobs[0].skip)
		return true;
	struct job *job = &batch->jobs[0];
	int64_t offset = job->message->offset;
	/* A read that is only run again, before the command that is looked for. */
	if (offset < lane->crash_offset)
		return true;
	if (lane->crash_offset != offset)
		lane->crash_count = lane->excused = 0;
	if (lane->crash_count - lane->excused >= x->engine->config->limits.attempts) {
		job_refuse_breaking(job, batch->arena, lane->crash_count - lane->excused);
		return true;
	}
	lane->crash_offset = offset;
	lane->crash_count++;
	return lane_rows_count_crash(x->transaction.connection, &x->transaction.table, lane->topic,
		       lane->partition, lane->epoch, offset, failure) == DB_OK;
}

/* The batch, which was tried so often before. */
static enum db_kind executor_run_transaction(struct executor *x, int retries,
	struct db_failure *failure, bool *written)
{
	connection_blame_cancels(x->transaction.connection, retries >= CANCELS_PASSING);
	metrics_gauge_add(x->engine->metrics, GAUGE_POOL_BUSY, 1);
	enum db_kind kind = transaction_run(&x->transaction, &x->batch, failure, written);
	metrics_gauge_add(x->engine->metrics, GAUGE_POOL_BUSY, -1);
	return kind;
}

static void do_batch(struct executor *x, const struct work *work)
{
	if (!can_connect(x, work, LANE_RUNNING))
		return;
	double started = clock_tick_seconds();
	struct db_failure failure;
	if (work->kind == WORK_CHECKPOINT) {
		batch_checkpoint(&x->batch, work->lanes, work->lane_count);
	} else if (!batch_collect(&x->batch, work->lanes, work->lane_count)) {
		log_warn(x->engine->log, "no Kafka broker answers for a reply topic: partitions wait");
		executor_release(x, work, LANE_RUNNING, executor_backoff_ms(x));
		return;
	} else if (x->batch.job_count == 0) {
		batch_finish(&x->batch);
		executor_release(x, work, LANE_RUNNING, 0);
		return;
	}
	if (work->lanes[0]->small && batch_is_awaited(&x->batch))
		lanes_awaited(x->engine->lanes);
	bool written = false;
	enum db_kind kind = DB_LOST;
	if (count_crash(x, work->lanes[0], &failure))
		kind = executor_run_transaction(x, work->lanes[0]->retries, &failure, &written);
	if (kind == DB_OK)
		batch_committed(x, work, written, started);
	else
		batch_failed(x, work, kind, &failure);
}

/* --- reads beside their lanes --- */

static void read_waits(struct executor *x, struct detached_read *read, int64_t delay_ms)
{
	read->retry_at = clock_tick_ms() + delay_ms;
	lanes_retry_read(x->engine->lanes, read);
}

static void read_failed(struct executor *x, struct detached_read *read, enum db_kind kind,
	const struct db_failure *failure)
{
	int64_t delay_ms = after_failure(x, kind, failure, read->retries);
	read->retries++;
	if (drop_if_lost(x, kind) && !is_excused(failure))
		read->breaks++;
	batch_finish(&x->batch);
	read_waits(x, read, delay_ms);
}

/* While reads wait for their turn, replies come in a row. Those of one request cost Kafka, both
 * sides' threads and the next commands' way a fraction: so a reply waits for others, for a small part
 * of what the last of such a burst of reads waits. */
static void flush_detached(struct executor *x, int64_t took_ms)
{
	int64_t wait_ms = lanes_detached_wait_ms(x->engine->lanes, took_ms);
	if (wait_ms)
		producer_flush_gathered(x->engine->producer, wait_ms / GATHER_PART);
	else
		producer_flush(x->engine->producer);
}

/* Its reply; and what is to be looked at by hand: it broke sessions, or its reply topic or its
 * schema went away meanwhile. */
static void send_detached(struct executor *x, const struct detached_read *read)
{
	const struct job *job = &x->batch.jobs[0];
	if (job_is_dead_letter(job))
		send_read(x, &x->batch.lanes[0], job, reply_dead_letter);
	if (job_replies(job))
		send_read(x, &x->batch.lanes[0], job, reply_build);
	if (job_is_dead_letter(job) || job_replies(job))
		return;
	lane_ref(x->engine->lanes, read->lane);
	lanes_reply_done(x->engine->lanes, read->lane, read->reply_generation, NULL,
		read->message->offset);
}

static void end_read(struct executor *x, struct detached_read *read)
{
	lanes_read_done(x->engine->lanes, read);
	lanes_free_read(x->engine->lanes, read);
}

static void read_committed(struct executor *x, struct detached_read *read, int64_t started)
{
	x->failures = 0;
	outage_over(x->engine->outage);
	send_detached(x, read);
	flush_detached(x, clock_tick_ms() - started);
	count_job(x, &x->batch.jobs[0], clock_now_ms());
	batch_finish(&x->batch);
	end_read(x, read);
}

static enum db_kind run_detached(struct executor *x, const struct detached_read *read,
	struct db_failure *failure)
{
	struct job *job = &x->batch.jobs[0];
	bool written;
	/* As many as a lane's command has until it is begun alone, and then alone. */
	if (read->breaks >= 2 * x->engine->config->limits.attempts && !job->refused)
		job_refuse_breaking(job, x->batch.arena, read->breaks);
	return executor_run_transaction(x, read->retries, failure, &written);
}

static void do_detached(struct executor *x, struct detached_read *read)
{
	int64_t started = clock_tick_ms();
	struct db_failure failure;
	if (!lanes_read_wanted(x->engine->lanes, read)) {
		end_read(x, read);
		return;
	}
	if (!open_connection(x, &failure)) {
		outage_seen(x->engine->outage, &failure);
		read_waits(x, read, executor_backoff_ms(x));
		return;
	}
	if (!batch_detached(&x->batch, read)) { /* its reply topic can't be looked up now */
		read_waits(x, read, executor_backoff_ms(x));
		return;
	}
	enum db_kind kind = run_detached(x, read, &failure);
	if (kind == DB_OK)
		read_committed(x, read, started);
	else
		read_failed(x, read, kind, &failure);
}

/* Nothing to do: first the buffers go, then the connection. */
static void executor_rest(struct executor *x)
{
	if (x->resting) {
		executor_disconnect(x);
		return;
	}
	batch_trim(&x->batch);
	buffer_free(&x->reply);
	params_trim(x->transaction.params);
	params_trim(x->transaction.table.params);
	malloc_trim(0);
}

static void *executor_run(void *arg)
{
	struct executor *x = arg;
	struct work work;
	for (;;) {
		int idle_ms = (int)x->engine->config->postgres.idle_timeout_ms;
		lanes_next(x->engine->lanes, &work, &x->waiter, x->resting ? idle_ms : REST_MS);
		switch (work.kind) {
		case WORK_QUIT:
			executor_disconnect(x);
			return NULL;
		case WORK_NONE:
			executor_rest(x);
			break;
		case WORK_CLAIM:
			do_claim(x, &work);
			break;
		case WORK_DETACHED:
			do_detached(x, work.read);
			break;
		case WORK_BATCH:
		case WORK_CHECKPOINT:
			do_batch(x, &work);
			break;
		}
		x->resting = work.kind == WORK_NONE;
		if (x->reply.capacity > REPLY_BUFFER_KEEP)
			buffer_free(&x->reply);
	}
}

struct executor *executor_start(const struct engine *engine)
{
	struct executor *x = alloc_zero(1, sizeof(*x));
	x->engine = engine;
	x->seed = (unsigned)(uintptr_t)x;
	x->reply = buffer_empty(engine->settings.max_reply_bytes);
	waiter_init(&x->waiter);
	batch_init(&x->batch, engine);
	struct transaction *t = &x->transaction;
	t->engine = engine;
	t->connection = connection_new(&engine->connection);
	t->params = params_new();
	x->hooks = (struct context_hooks){ .address = reply_address_bytes,
		.init_storage = engine->init_storage };
	t->link = (struct context_link){ .hooks = &x->hooks,
		.engine = engine,
		.settings = &engine->settings,
		.schema = engine->config->postgres.schema_name,
		.connection = t->connection,
		.reply = &x->reply,
		.hints = hints_new() };
	t->table = (struct lane_table){ .schema = engine->config->postgres.schema_name,
		.group = engine->config->kafka.group_id,
		.params = params_new() };
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
	params_free(x->transaction.params);
	params_free(x->transaction.table.params);
	connection_free(x->transaction.connection);
	hints_free(x->transaction.link.hints);
	free(x);
}
