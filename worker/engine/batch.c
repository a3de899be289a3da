/* batch.c - see batch.h */
#include "worker/engine/batch.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"

/* Kept by an idle executor's arena. */
#define ARENA_KEEP (512 * 1024)
#define JOBS_KEEP 1024

void batch_init(struct batch *batch, const struct engine *engine)
{
	*batch = (struct batch){ .engine = engine, .arena = arena_new(ARENA_KEEP) };
}

void batch_free(struct batch *batch)
{
	arena_free(batch->arena);
	free(batch->jobs);
}

void batch_trim(struct batch *batch)
{
	arena_trim(batch->arena);
	free(batch->jobs);
	batch->jobs = NULL;
	batch->job_size = 0;
}

static void batch_clear(struct batch *batch)
{
	for (size_t i = 0; i < batch->lane_count; i++) {
		free(batch->lanes[i].payload.bytes);
		free(batch->lanes[i].acked);
	}
	if (batch->job_size > JOBS_KEEP) {
		free(batch->jobs);
		batch->jobs = NULL;
		batch->job_size = 0;
	}
	batch->lane_count = 0;
	batch->job_count = 0;
	batch->bytes = 0;
	batch->held = 0;
	batch->detached_count = 0;
	batch->outside = false;
	batch->read = false;
	arena_reset(batch->arena);
}

void batch_finish(struct batch *batch)
{
	/* One that went aside is not here any more: another executor has it. */
	for (size_t i = 0; i < batch->job_count && !batch->read; i++)
		if (batch->jobs[i].message)
			rd_kafka_message_destroy(batch->jobs[i].message);
	lanes_released(batch->engine->lanes, batch->held);
	batch_clear(batch);
}

/* The lane's messages from that job of its on, in order. */
static void give_back_from(struct batch *batch, const struct batch_lane *part, size_t from)
{
	size_t count = part->count - from;
	rd_kafka_message_t **messages = alloc_zero(count + 1, sizeof(*messages));
	for (size_t i = 0; i < count; i++)
		messages[i] = batch->jobs[part->first + from + i].message;
	lanes_unpop(batch->engine->lanes, part->lane, messages, count);
	free(messages);
}

void batch_give_back(struct batch *batch)
{
	for (size_t i = 0; i < batch->lane_count; i++)
		give_back_from(batch, &batch->lanes[i], 0);
	batch_clear(batch);
}

void batch_cut(struct batch *batch, const size_t *next)
{
	for (size_t i = 0; i < batch->lane_count; i++) {
		struct batch_lane *part = &batch->lanes[i];
		if (next[i] == part->count)
			continue;
		part->end = next[i] ? batch->jobs[part->first + next[i]].message->offset
				    : part->lane->position;
		for (size_t j = next[i]; j < part->count; j++)
			batch->held -= message_bytes(batch->jobs[part->first + j].message);
		give_back_from(batch, part, next[i]);
		for (size_t j = next[i]; j < part->count; j++)
			batch->jobs[part->first + j] =
				(struct job){ .lane = part->lane, .lane_place = i, .skip = true };
		part->count = next[i];
	}
}

static struct job *next_job(struct batch *batch)
{
	if (batch->job_count == batch->job_size) {
		batch->job_size = batch->job_size ? batch->job_size * 2 : 64;
		batch->jobs = alloc_grow(batch->jobs, batch->job_size, sizeof(*batch->jobs));
	}
	return &batch->jobs[batch->job_count];
}

static struct batch_lane *add_lane(struct batch *batch, struct lane *lane)
{
	struct batch_lane *part = &batch->lanes[batch->lane_count++];
	lanes_lock(batch->engine->lanes);
	*part = (struct batch_lane){ .lane = lane,
		.first = batch->job_count,
		.end = lane->position,
		.epoch = lane->epoch,
		.applied = lane->applied,
		.reply_generation = lane->reply_generation };
	part->acked_count = lane->acked_count;
	if (lane->acked_count) {
		part->acked = alloc_zero(lane->acked_count, sizeof(*part->acked));
		memcpy(part->acked, lane->acked, lane->acked_count * sizeof(*part->acked));
	}
	lanes_unlock(batch->engine->lanes);
	return part;
}

static rd_kafka_message_t *batch_pop(struct batch *batch, struct lane *lane)
{
	struct lanes *lanes = batch->engine->lanes;
	lanes_lock(lanes);
	rd_kafka_message_t *message = lane->state == LANE_RUNNING
		? message_queue_pop(&lane->messages)
		: NULL;
	if (message)
		lanes_popped(lane, message_bytes(message));
	lanes_unlock(lanes);
	return message;
}

static bool batch_is_full(const struct batch *batch)
{
	const struct config *config = batch->engine->config;
	return batch->job_count >= (size_t)config->batch.max_commands ||
		batch->bytes >= (size_t)config->batch.max_bytes;
}

enum collected {
	COLLECTED,       /* go on */
	COLLECTED_LAST,  /* this lane gives no more to this batch */
	COLLECTED_NONE,  /* the message does not go into this batch: it is back in its lane */
	COLLECTED_AGAIN, /* a reply topic can't be looked up */
};

/* One that may break its worker runs where that is counted. */
static bool may_detach(const struct batch *batch, const struct batch_lane *part,
	const struct job *job)
{
	return job_replies(job) && !job->refused && (job->call.command->flags & COMMAND_DETACHED) &&
		!part->lane->suspect &&
		lanes_detached_room(batch->engine->lanes, batch->detached_count);
}

static enum collected collect_one(struct batch *batch, struct batch_lane *part,
	rd_kafka_message_t *message)
{
	struct job *job = next_job(batch);
	enum job_verdict verdict = job_prepare(job, batch->engine, batch->arena, part->lane,
		message, part->applied);
	bool outside = !job->skip && !job->refused && job->call.command &&
		(job->call.command->flags & COMMAND_OUTSIDE);
	if (verdict == JOB_UNREACHABLE || (outside && batch->job_count > 0)) {
		lanes_unpop(batch->engine->lanes, part->lane, &message, 1);
		return verdict == JOB_UNREACHABLE ? COLLECTED_AGAIN : COLLECTED_NONE;
	}
	job->lane_place = (size_t)(part - batch->lanes);
	batch->job_count++;
	batch->bytes += message->len;
	batch->held += message_bytes(message);
	part->count++;
	part->end = message->offset + 1;
	batch->outside = outside;
	job->detached = may_detach(batch, part, job);
	batch->detached_count += job->detached;
	return outside || part->lane->suspect ? COLLECTED_LAST : COLLECTED;
}

bool batch_collect(struct batch *batch, struct lane *const *lanes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_lane(batch, lanes[i]);
	for (size_t i = 0; i < count && !batch->outside; i++) {
		struct batch_lane *part = &batch->lanes[i];
		part->first = batch->job_count;
		enum collected collected = COLLECTED;
		rd_kafka_message_t *message;
		while (collected == COLLECTED && !batch_is_full(batch) &&
			(message = batch_pop(batch, part->lane)))
			collected = collect_one(batch, part, message);
		if (collected == COLLECTED_AGAIN) {
			batch_give_back(batch);
			return false;
		}
	}
	return true;
}

bool batch_is_awaited(const struct batch *batch)
{
	for (size_t i = 0; i < batch->job_count; i++)
		if (job_replies(&batch->jobs[i]))
			return true;
	return false;
}

void batch_checkpoint(struct batch *batch, struct lane *const *lanes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_lane(batch, lanes[i]);
}

bool batch_detached(struct batch *batch, const struct detached_read *read)
{
	struct job *job = next_job(batch);
	struct batch_lane *part = &batch->lanes[batch->lane_count++];
	*part = (struct batch_lane){
		.lane = read->lane, .count = 1, .reply_generation = read->reply_generation
	};
	batch->read = true;
	/* It was let through before: nothing of it is applied, whatever the lane's offset is. */
	if (job_prepare(job, batch->engine, batch->arena, read->lane, read->message, 0) != JOB_OK) {
		batch_clear(batch);
		return false;
	}
	batch->job_count = 1;
	return true;
}

/* The lane's `answered` once this batch is in: replies of its reads are still to be sent then. Where
 * the ledger was forgotten meanwhile, nobody knows which were acknowledged: it stays. */
static int64_t answered_after(const struct batch *batch, const struct batch_lane *part)
{
	struct lane *lane = part->lane;
	lanes_lock(batch->engine->lanes);
	bool forgotten = lane->reply_generation != part->reply_generation;
	bool behind = forgotten || lane->reads.head < lane->reads.tail;
	int64_t answered = forgotten ? lane->answered : lane_answered(lane);
	lanes_unlock(batch->engine->lanes);
	if (behind)
		return answered;
	for (size_t i = 0; i < part->count; i++) {
		const struct job *job = &batch->jobs[part->first + i];
		if (job_replies(job) && !job_is_stored(job))
			return job->message->offset;
	}
	return part->end;
}

void batch_rows(const struct batch *batch, struct lane_row *rows)
{
	for (size_t i = 0; i < batch->lane_count; i++) {
		const struct batch_lane *part = &batch->lanes[i];
		int64_t applied = part->end > part->applied ? part->end : part->applied;
		rows[i] = (struct lane_row){
			.topic = part->lane->topic,
			.partition = part->lane->partition,
			.epoch = part->epoch,
			.expected = part->applied,
			.applied = applied,
			.answered = answered_after(batch, part),
		};
	}
}
