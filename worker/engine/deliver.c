/* deliver.c - moves lanes and sends replies after a commit, and counts outcomes */
#include "worker/engine/deliver.h"

#include <stdlib.h>
#include <sys/eventfd.h>

#include "handlers/domains/command_table.h"
#include "schemas/base/clock.h"
#include "worker/engine/detached_read.h"
#include "worker/engine/reply.h"

/* --- lanes --- */

static void move_lanes(const struct engine *engine, const struct batch *batch, bool written)
{
	for (size_t i = 0; i < batch->lane_count; i++) {
		const struct batch_lane *part = &batch->lanes[i];
		const struct lane_commit commit = {
			.position = part->end,
			.row_written = written,
			.applied = part->new_applied,
			.answered = part->new_answered,
			.generation = part->start.generation,
			.acked_count = part->start.acked_count,
		};
		lanes_committed(engine->lanes, part->lane, &commit);
	}
}

/* A lane must know of all its unanswered reads before Kafka can acknowledge the first reply. */
static void announce_reads(const struct engine *engine, const struct batch *batch)
{
	int64_t *offsets = arena_calloc(batch->arena, batch->job_count, sizeof(*offsets));
	for (size_t i = 0; i < batch->lane_count; i++) {
		const struct batch_lane *part = &batch->lanes[i];
		size_t count = 0;
		for (size_t j = 0; j < part->count; j++) {
			const struct job *job = &batch->jobs[part->first + j];
			if (job->disposition == DISPOSITION_REPLY ||
				job->disposition == DISPOSITION_DETACHED)
				offsets[count++] = job->message->offset;
		}
		if (count)
			lanes_reads_sent(engine->lanes, part->lane, part->start.generation, offsets,
				count);
	}
}

/* --- messages --- */

static void send_stored(const struct engine *engine, const struct batch_lane *part)
{
	if (!part->stored)
		return;
	struct delivery delivery = { .lane = part->lane, .generation = part->start.generation };
	delivery.stored = lanes_replies_stored(engine->lanes, part->lane, part->start.generation,
		part->seq, part->stored);
	/* A lane that was reclaimed meanwhile sends them when an executor claims it. */
	if (delivery.stored)
		producer_send_stored(engine->producer, part->payload.data, part->payload.size,
			&delivery);
}

typedef void build_fn(const struct job *job, const struct engine *engine, struct arena *arena,
	struct outgoing *out);

static void send_read(const struct engine *engine, const struct batch *batch, const struct job *job,
	build_fn *build)
{
	struct outgoing message;
	const struct delivery delivery = {
		.lane = job->lane,
		.generation = batch->lanes[job->lane_place].start.generation,
		.read_offset = job->message->offset,
	};
	build(job, engine, batch->arena, &message);
	producer_send(engine->producer, &message, &delivery);
}

/* The index builder is another module: an eventfd wakes it. */
static void wake_builder(const struct engine *engine)
{
	/* A full counter fails, and is a wake-up that the builder has still to see. */
	(void)!eventfd_write(engine->builder_wake_fd, 1);
}

void deliver_batch(const struct engine *engine, struct batch *batch, bool written)
{
	bool deferred = false;
	move_lanes(engine, batch, written);
	announce_reads(engine, batch);
	for (size_t i = 0; i < batch->lane_count; i++)
		send_stored(engine, &batch->lanes[i]);
	for (size_t i = 0; i < batch->job_count; i++) {
		struct job *job = &batch->jobs[i];
		if (job->disposition == DISPOSITION_DETACHED)
			detached_read_start(engine, batch, job);
		else if (job->disposition == DISPOSITION_REPLY)
			send_read(engine, batch, job, reply_build);
		deferred |= job->disposition == DISPOSITION_DEFERRED;
	}
	producer_flush(engine->producer);
	if (deferred)
		wake_builder(engine);
}

bool deliver_detached(const struct engine *engine, struct batch *batch)
{
	const struct job *job = &batch->jobs[0];
	bool dead = job->disposition == DISPOSITION_DEAD_LETTER;
	if (dead)
		send_read(engine, batch, job, reply_dead_letter);
	if (job_replies(job))
		send_read(engine, batch, job, reply_build);
	return dead || job_replies(job);
}

/* --- counting --- */

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

static void log_failed(const struct engine *engine, const struct job *job)
{
	const struct failure *failure = &job_result(job)->failure;
	bool dead = job->disposition == DISPOSITION_DEAD_LETTER;
	log_at_limited(engine->log, dead ? LOG_WARN : LOG_INFO,
		dead ? "command dead-lettered" : "command failed", failure->code,
		LOG_STR("topic", job->lane->topic), LOG_INT("partition", job->lane->partition),
		LOG_INT("offset", job->message->offset),
		LOG_STR("command", job->command >= 0 ? command_defs[job->command].name : NULL),
		LOG_STR("code", failure->code),
		LOG_STR("category", failure_category_name(failure->category)),
		LOG_STR("error", failure->message));
}

static void count_job(const struct engine *engine, const struct job *job, int64_t now_ms)
{
	const struct call *result = job_result(job);
	rd_kafka_timestamp_type_t type;
	int64_t sent_ms = rd_kafka_message_timestamp(job->message, &type);
	unsigned repairs = 0;
	for (size_t i = 0; i < job->call_count; i++)
		repairs += job->calls[i].repairs;
	metrics_command(engine->metrics, job->command, outcome_of(result));
	if (job->key && job->key->state == IDEMPOTENCY_REPLIED)
		metrics_add(engine->metrics, METRIC_REPEATS, 1);
	if (repairs)
		metrics_add(engine->metrics, METRIC_TEXT_REPAIRS, repairs);
	if (sent_ms > 0)
		metrics_observe(engine->metrics, HISTOGRAM_AGE_SECONDS,
			(double)(now_ms - sent_ms) / 1000);
	if (result->state == CALL_FAILED)
		log_failed(engine, job);
}

void deliver_count(const struct engine *engine, const struct batch *batch)
{
	int64_t now_ms = clock_now_ms();
	for (size_t i = 0; i < batch->job_count; i++) {
		const struct job *job = &batch->jobs[i];
		if (job->disposition != DISPOSITION_SKIP &&
			job->disposition != DISPOSITION_DETACHED)
			count_job(engine, job, now_ms);
	}
}
