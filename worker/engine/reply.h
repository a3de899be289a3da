/*
 * reply.h - the messages that end a command: its reply, its dead letter
 *
 * Source: protocol.md, "A reply message"; Kafka Connect's DeadLetterQueueReporter for the names
 * of a dead letter's context headers.
 */
#ifndef WORKER_ENGINE_REPLY_H
#define WORKER_ENGINE_REPLY_H

#include "worker/engine/job.h"
#include "worker/kafka/outgoing.h"

/* The reply of a job with an outcome, framed; it lives in the arena and the job's message. */
void reply_build(const struct job *job, const struct engine *engine, struct arena *arena,
	struct outgoing *out);

/* A reply, or the dead letter of a command that asked for none, without its end: of a call that is
 * answered later, by reply_finish. */
void reply_address(const struct job *job, const struct engine *engine, struct arena *arena,
	struct outgoing *out);

/* The same as bytes in the arena: context_engine.h, `address`. */
const void *reply_address_bytes(const void *engine, struct call *call, struct arena *arena,
	size_t *size);

/* The message to that address of a call that ended: with null, or with a failure. False: there
 * is nothing to be sent. It lives in the arena and in what the address points to. */
bool reply_finish(const struct outgoing *address, const struct engine *engine, struct arena *arena,
	const struct failure *failure, struct outgoing *out);

/* The dead letter: the message as it came, and why. */
void reply_dead_letter(const struct job *job, const struct engine *engine, struct arena *arena,
	struct outgoing *out);

/* mastra.Error of a failure, encoded without framing into the arena. */
void reply_error(const struct failure *failure, const struct engine *engine, struct arena *arena,
	const void **bytes, size_t *size);

#endif
