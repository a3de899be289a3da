/*
 * reply.h - builds the messages that end a command: its reply and its dead letter
 *
 * Source: protocol.md, "A reply message"; Kafka Connect's DeadLetterQueueReporter for the names of
 * a dead letter's context headers. Results live in the arena and in the job's message.
 */
#ifndef WORKER_ENGINE_REPLY_H
#define WORKER_ENGINE_REPLY_H

#include "worker/engine/job.h"
#include "worker/kafka/outgoing.h"

/* Builds the framed reply of a job that has an outcome. */
void reply_build(const struct job *job, const struct engine *engine, struct arena *arena,
	struct outgoing *out);

/* Returns a reply, or the dead letter of a command that asked for none, without its outcome: the
 * address for a call that another thread ends with reply_finish. Bytes in the arena; the hook
 * `address` of context_engine.h. */
const void *reply_address_bytes(const void *engine, struct call *call, struct arena *arena,
	size_t *size);

/* Completes an address with the call's outcome: null, or a failure. Returns false if there is
 * nothing to send. The message lives in the arena and in what the address points to. */
bool reply_finish(const struct outgoing *address, const struct engine *engine, struct arena *arena,
	const struct failure *failure, struct outgoing *out);

/* Builds the dead letter: the message as it arrived, and why it failed. */
void reply_dead_letter(const struct job *job, const struct engine *engine, struct arena *arena,
	struct outgoing *out);

#endif
