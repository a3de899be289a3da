/*
 * job.h - one message on its way from Kafka to its reply
 */
#ifndef WORKER_ENGINE_JOB_H
#define WORKER_ENGINE_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "db/state/idempotency_rows.h"
#include "schemas/avro/framing.h"
#include "schemas/json/json.h"
#include "worker/engine/engine.h"
#include "worker/engine/headers.h"

/* What the engine does with a job. job_conclude computes it once from the job's outcome. */
enum disposition {
	DISPOSITION_PENDING,      /* it has no outcome yet */
	DISPOSITION_SKIP,         /* an earlier batch applied it: nothing to do */
	DISPOSITION_SILENT,       /* done, and the client asked for no reply */
	DISPOSITION_REPLY,        /* a read: the reply is sent after the commit, and not stored */
	DISPOSITION_REPLY_STORED, /* the batch stores the reply in the outbox, then sends it */
	DISPOSITION_DEAD_LETTER,  /* the batch stores the dead letter; with can_reply, an error
	                             reply too */
	DISPOSITION_DETACHED,     /* a read that leaves its lane after the commit */
	DISPOSITION_DEFERRED,     /* another thread replies later */
};

struct job {
	struct lane *lane;
	size_t lane_place; /* index of the lane in its batch */
	uint32_t schema;   /* number of its calls' schema in the batch */
	rd_kafka_message_t *message;
	struct headers headers;
	struct framing framing;              /* of the message; its datum lies in the message */
	const struct catalog_writer *writer; /* the schema it was written with; NULL: unknown */
	int command; /* index in command_defs; COMMAND_UNKNOWN if the message does not say */
	enum disposition disposition;
	bool refused;      /* it failed for good: no attempt runs it */
	bool direct_read;  /* of a COMMAND_DIRECT: it is a read */
	bool dead_letter;  /* its failure always goes to the dead-letter topic */
	bool json;         /* the request is JSON, and so is the reply */
	bool can_reply;    /* it asks for a reply, and the topic is allowed and exists */
	const char *stage; /* where a dead letter failed, in Kafka Connect's words */
	struct call
		*calls; /* in the arena; they run in order, and the first failure is the job's */
	size_t call_count;
	struct json json_reply;      /* of a `json` job that is done, in the arena */
	struct idempotency_key *key; /* of a write, in the batch's arena; NULL: none */
	struct arena
		*arena; /* the job's own, if it may become a detached read; NULL: the batch's */
};

/* Returns the job that a call belongs to, while a batch runs. */
static inline struct job *job_of(const struct call *call)
{
	return call->origin;
}

enum job_verdict {
	JOB_OK,          /* prepared; it may be refused */
	JOB_UNREACHABLE, /* nobody can say now whether its reply topic exists: try again later */
};

/* Reads the headers and finds the command. Allocates one call, and a refusal's text, in the arena. */
void job_identify(struct job *job, const struct engine *engine, struct arena *arena,
	struct lane *lane, rd_kafka_message_t *message);
/* Must the brokers be asked for the reply topic that the headers name, before job_prepare? */
bool job_must_ask(const struct headers *headers, const struct engine *engine);
/* Decodes an identified job and checks its reply topic. Allocates in the arena. `applied`: the
 * lane's next offset whose effect is not committed; the job is skipped if it lies before. */
enum job_verdict job_prepare(struct job *job, const struct engine *engine, struct arena *arena,
	int64_t applied);

/* Fails the job in the attempt at hand; the next attempt decides anew. The text goes into the
 * arena. */
void job_fail(struct job *job, struct arena *arena, enum failure_category category,
	const char *code, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Fails the job for good: no attempt at its batch runs it. The text goes into the arena. */
void job_refuse(struct job *job, struct arena *arena, enum failure_category category,
	const char *code, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Refuses it as a dead letter: it ended the worker or its session `times` times. */
void job_refuse_breaking(struct job *job, struct arena *arena, int times);

/* Sets the disposition from the outcome. */
void job_conclude(struct job *job);

/* Does an attempt at the batch run it? Not if it was refused or skipped, or if its idempotency key is
 * known. */
bool job_runs(const struct job *job);

/* Gives a call of the job its command, the types of request and reply, and the job's deadline. */
void job_set_command(const struct job *job, struct call *call, const struct engine *engine,
	int command);

/* Its command's flags; 0 if the command is unknown. */
unsigned job_flags(const struct job *job);
bool job_is_write(const struct job *job);
/* The call that decides the outcome: the first that failed, else the last. */
const struct call *job_result(const struct job *job);
/* Is an error or a result sent to the client; is anything stored in the outbox? */
bool job_replies(const struct job *job);
bool job_is_stored(const struct job *job);

#endif
