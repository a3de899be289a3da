/*
 * job.h - one command on its way from message to reply
 */
#ifndef WORKER_ENGINE_JOB_H
#define WORKER_ENGINE_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/engine/engine.h"
#include "worker/engine/headers.h"

struct job {
	struct lane *lane;
	size_t lane_place; /* of the lane in its batch */
	rd_kafka_message_t *message;
	struct headers headers;
	int command; /* index in command_defs; COMMAND_UNKNOWN: could not be told */
	bool write;
	bool skip;         /* applied before: nothing is done again */
	bool refused;      /* never begun: `call` has failed already, and stays so */
	bool dead;         /* always a dead letter, whatever is replied */
	bool detached;     /* a read that runs beside its lane, once the batch is in */
	bool can_reply;    /* it asks for a reply, and the topic is allowed and there */
	const char *stage; /* of a dead letter: where it failed, as Kafka Connect calls it */
	struct call call;
};

/* Returns the job that a call belongs to. */
static inline struct job *job_of(const struct call *call)
{
	return call->origin;
}

enum job_verdict {
	JOB_OK,          /* prepared; it may be refused */
	JOB_UNREACHABLE, /* its reply topic can't be looked up now: again later */
};

/* Reads headers, finds the schema, decodes, looks up the reply topic. `applied`: the lane's next
 * offset whose effect is not in yet. What it allocates is in the arena. */
enum job_verdict job_prepare(struct job *job, const struct engine *engine, struct arena *arena,
	struct lane *lane, rd_kafka_message_t *message, int64_t applied);

/* Refuses the job for good: it is not begun any more, in no repetition of its batch. */
void job_refuse(struct job *job, struct arena *arena, enum failure_category category,
	const char *code, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* So, and as a dead letter: it ended the worker or its session, each of so many `times`. */
void job_refuse_breaking(struct job *job, struct arena *arena, int times);

/* Something is to be kept in the outbox for it, once it has its outcome. */
bool job_is_stored(const struct job *job);
/* It gets a reply message with its batch; a dead letter. */
bool job_replies(const struct job *job);
bool job_is_dead_letter(const struct job *job);

#endif
