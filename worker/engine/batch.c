/* batch.c - collects commands from lanes into a batch, and gives messages back */
#include "worker/engine/batch.h"

#include <stdlib.h>
#include <string.h>

#include "handlers/core/keys.h"
#include "schemas/base/alloc.h"
#include "worker/engine/idempotency.h"
#include "worker/lanes/detached.h"
#include "worker/lanes/queue.h"

/* An idle executor's arena keeps this. */
#define ARENA_KEEP (512 * 1024)
#define JOBS_KEEP 1024
/* Arenas of reads that may leave their lanes: many small ones. */
#define READ_ARENA_BLOCK 4096
/* A lane whose next reply topic is unsure looks again after this time. */
#define UNSURE_MS 200
/* A lane's messages that are searched for reply topics, to look them up in one request. */
#define LOOK_AHEAD 500

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
		free(batch->lanes[i].payload.data);
		free(batch->lanes[i].start.acked);
	}
	for (size_t i = 0; i < batch->job_count && !batch->detached; i++)
		arena_free(batch->jobs[i].arena);
	if (batch->job_size > JOBS_KEEP) {
		free(batch->jobs);
		batch->jobs = NULL;
		batch->job_size = 0;
	}
	arena_reset(batch->arena);
	*batch = (struct batch){
		.engine = batch->engine,
		.arena = batch->arena,
		.jobs = batch->jobs,
		.job_size = batch->job_size,
	};
}

void batch_finish(struct batch *batch)
{
	/* A detached read has taken its message over. */
	for (size_t i = 0; i < batch->job_count && !batch->detached; i++)
		if (batch->jobs[i].message)
			rd_kafka_message_destroy(batch->jobs[i].message);
	lanes_released(batch->engine->lanes, batch->held);
	batch_clear(batch);
}

/* Gives the lane's messages back, from its job number `from` on. */
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

static void cut_lane(struct batch *batch, struct batch_lane *part, size_t place, size_t next)
{
	struct job *jobs = batch->jobs + part->first;
	part->end = next ? jobs[next].message->offset : part->start.position;
	for (size_t i = next; i < part->count; i++)
		batch->held -= message_bytes(jobs[i].message);
	give_back_from(batch, part, next);
	for (size_t i = next; i < part->count; i++) {
		arena_free(jobs[i].arena);
		jobs[i] = (struct job){ .lane = part->lane,
			.lane_place = place,
			.command = COMMAND_UNKNOWN,
			.disposition = DISPOSITION_SKIP };
	}
	part->count = next;
}

void batch_cut(struct batch *batch, const size_t *next)
{
	for (size_t i = 0; i < batch->lane_count; i++)
		if (next[i] < batch->lanes[i].count)
			cut_lane(batch, &batch->lanes[i], i, next[i]);
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
	*part = (struct batch_lane){ .lane = lane,
		.first = batch->job_count,
		.start = lanes_snapshot(batch->engine->lanes, lane) };
	part->end = part->start.position;
	return part;
}

static bool batch_is_full(const struct batch *batch)
{
	const struct config *config = batch->engine->config;
	return batch->job_count >= (size_t)config->batch.max_commands ||
		batch->bytes >= (size_t)config->batch.max_bytes;
}

enum collected {
	COLLECTED,      /* go on */
	COLLECTED_LAST, /* this lane adds no more to this batch */
	COLLECTED_NONE, /* the message does not go into this batch: it is back in its lane */
	COLLECTED_AGAIN, /* nobody can say whether its reply topic exists: it is back in its lane, too */
};

/* May the job leave its lane? A suspect lane's jobs stay, because the lane counts their crashes. */
static bool may_detach(const struct batch *batch, const struct batch_lane *part,
	const struct job *job)
{
	return job->headers.reply_to.bytes && !job->refused &&
		(job_flags(job) & (COMMAND_DETACHED | COMMAND_DIRECT)) &&
		!part->lane->suspect.active &&
		lanes_detached_room(batch->engine->lanes, batch->detached_count);
}

/* --- reply topics --- */

struct topic_names {
	const struct batch *batch;
	const char *items[LOOK_AHEAD];
	struct keys *seen;
};

static void add_topic_of(void *arg, const rd_kafka_message_t *message)
{
	struct topic_names *names = arg;
	const struct engine *engine = names->batch->engine;
	struct headers headers;
	headers_read(message, (size_t)engine->config->limits.headers, &headers);
	uint32_t count = keys_count(names->seen);
	if (count == LOOK_AHEAD || !job_must_ask(&headers, engine))
		return;
	const struct header_text *topic = &headers.reply_to;
	char *name = arena_copy(names->batch->arena, topic->bytes, topic->size);
	struct datum datum = datum_text(name, (uint32_t)topic->size);
	if (keys_add(names->seen, &datum) == count)
		names->items[count] = name;
}

/* Asks for the message's reply topic. The same request asks for the reply topics of the messages that
 * wait in the batch's lanes. */
static void ask_for_topics(const struct batch *batch, const rd_kafka_message_t *message)
{
	struct topic_names names = { .batch = batch, .seen = keys_new(batch->arena, LOOK_AHEAD) };
	add_topic_of(&names, message);
	for (size_t i = 0; i < batch->lane_count; i++)
		lanes_each_waiting(batch->engine->lanes, batch->lanes[i].lane, LOOK_AHEAD,
			add_topic_of, &names);
	reply_topics_ask(batch->engine->reply_topics, names.items, keys_count(names.seen));
}

/* --- jobs --- */

/* A read that may leave its lane is decoded into an arena of its own, which goes with it. */
static enum job_verdict prepare_job(struct batch *batch, const struct batch_lane *part,
	struct job *job, rd_kafka_message_t *message)
{
	job_identify(job, batch->engine, batch->arena, part->lane, message);
	if (job_must_ask(&job->headers, batch->engine))
		ask_for_topics(batch, message);
	struct arena *arena = batch->arena;
	if (may_detach(batch, part, job)) {
		arena = job->arena = arena_new_sized(0, READ_ARENA_BLOCK);
		struct call *call = arena_alloc(arena, sizeof(*call));
		*call = job->calls[0];
		job->calls = call;
	}
	enum job_verdict verdict = job_prepare(job, batch->engine, arena, part->start.applied);
	if (job->arena && job->can_reply && !job->refused && (job_flags(job) & COMMAND_DETACHED) &&
		job->disposition == DISPOSITION_PENDING)
		job->disposition = DISPOSITION_DETACHED;
	return verdict;
}

bool batch_enter_schema(struct batch *batch, struct job *job)
{
	const char *schema = job->calls[0].schema ? job->calls[0].schema : "";
	struct datum text = datum_text(schema, (uint32_t)strlen(schema));
	if (!batch->schemas)
		batch->schemas = keys_new(batch->arena, BATCH_SCHEMAS_MAX);
	job->schema = keys_find(batch->schemas, &text);
	if (job->schema == KEYS_NONE && keys_count(batch->schemas) < BATCH_SCHEMAS_MAX)
		job->schema = keys_add(batch->schemas, &text);
	return job->schema != KEYS_NONE;
}

static void add_job(struct batch *batch, struct batch_lane *part, struct job *job)
{
	job->lane_place = (size_t)(part - batch->lanes);
	batch->job_count++;
	batch->call_count += job->call_count;
	batch->bytes += job->message->len + message_uncounted_bytes(job->message);
	batch->held += message_bytes(job->message);
	batch->detached_count += job->disposition == DISPOSITION_DETACHED;
	part->count++;
	part->end = job->message->offset + 1;
}

static enum collected collect_one(struct batch *batch, struct batch_lane *part,
	rd_kafka_message_t *message)
{
	struct job *job = next_job(batch);
	enum job_verdict verdict = prepare_job(batch, part, job, message);
	bool outside = job->disposition == DISPOSITION_PENDING && !job->refused &&
		(job_flags(job) & COMMAND_OUTSIDE);
	bool waits = (outside && batch->job_count > 0) || !batch_enter_schema(batch, job) ||
		!idempotency_enter(batch, job);
	if (verdict == JOB_UNREACHABLE || waits) {
		lanes_unpop(batch->engine->lanes, part->lane, &message, 1);
		arena_free(job->arena);
		return verdict == JOB_UNREACHABLE ? COLLECTED_AGAIN : COLLECTED_NONE;
	}
	add_job(batch, part, job);
	batch->outside = outside;
	return outside || part->lane->suspect.active ? COLLECTED_LAST : COLLECTED;
}

static enum collected collect_lane(struct batch *batch, struct batch_lane *part)
{
	enum collected collected = COLLECTED;
	rd_kafka_message_t *message;
	part->first = batch->job_count;
	while (collected == COLLECTED && !batch_is_full(batch) &&
		(message = lanes_pop(batch->engine->lanes, part->lane)))
		collected = collect_one(batch, part, message);
	return collected;
}

void batch_collect(struct batch *batch, struct lane *const *lanes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_lane(batch, lanes[i]);
	for (size_t i = 0; i < count && !batch->outside; i++)
		if (collect_lane(batch, &batch->lanes[i]) == COLLECTED_AGAIN)
			lanes_defer(batch->engine->lanes, lanes[i], UNSURE_MS);
}

bool batch_is_awaited(const struct batch *batch)
{
	for (size_t i = 0; i < batch->job_count; i++)
		if (batch->jobs[i].can_reply && batch->jobs[i].disposition != DISPOSITION_SKIP)
			return true;
	return false;
}

void batch_checkpoint(struct batch *batch, struct lane *const *lanes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_lane(batch, lanes[i]);
}

void batch_detached(struct batch *batch, const struct job *job, uint32_t generation)
{
	*next_job(batch) = *job;
	batch->job_count = 1;
	batch->call_count = job->call_count;
	batch->lanes[0] = (struct batch_lane){
		.lane = job->lane, .count = 1, .start = { .generation = generation }
	};
	batch->lane_count = 1;
	batch->detached = true;
}

/* Returns the lane's `answered` after this batch. It stops at the first read whose reply is sent
 * only then, and stays where it is if older reads are unanswered or the lane was reclaimed. */
static int64_t answered_after(const struct batch *batch, const struct batch_lane *part)
{
	bool owing;
	int64_t answered = lanes_answered(batch->engine->lanes, part->lane, part->start.generation,
		&owing);
	for (size_t i = 0; i < part->count && !owing; i++) {
		const struct job *job = &batch->jobs[part->first + i];
		if (job->disposition == DISPOSITION_REPLY ||
			job->disposition == DISPOSITION_DETACHED)
			return job->message->offset;
	}
	return owing ? answered : part->end;
}

void batch_rows(const struct batch *batch, struct lane_row *rows)
{
	for (size_t i = 0; i < batch->lane_count; i++) {
		const struct batch_lane *part = &batch->lanes[i];
		int64_t applied = part->end > part->start.applied ? part->end : part->start.applied;
		rows[i] = (struct lane_row){
			.topic = part->lane->topic,
			.partition = part->lane->partition,
			.epoch = part->start.epoch,
			.expected = part->start.applied,
			.applied = applied,
			.answered = answered_after(batch, part),
		};
	}
}
