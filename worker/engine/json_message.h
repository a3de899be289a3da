/*
 * json_message.h - commands whose request is JSON, and their replies in JSON
 *
 * Such a message has the headers `content-type: application/json` and `command`. Its request becomes an Avro
 * datum of the command's own schema before anything else happens to it, so it passes the same checks and
 * limits as any other. Its reply becomes JSON last. Stored replies of idempotency keys are Avro.
 *
 * Results live in the arena.
 */
#ifndef WORKER_ENGINE_JSON_MESSAGE_H
#define WORKER_ENGINE_JSON_MESSAGE_H

#include "schemas/json/json.h"
#include "worker/engine/job.h"

/* Finds the command that the header names; refuses the job if there is none. */
void json_message_identify(struct job *job, const struct engine *engine, struct arena *arena);

/* Makes the job's request a datum. False, with the job refused, if the value does not fit. */
bool json_message_read(struct job *job, const struct engine *engine, struct arena *arena)
	__attribute__((warn_unused_result));

/* Returns a framed reply as JSON; absent if it is larger than a reply may be. */
struct json json_message_reply(const struct engine *engine, struct arena *arena, int command,
	const void *reply, size_t size);
/* Returns a record of a schema of this release as JSON. */
struct json json_message_record(struct arena *arena, const struct catalog_schema *schema,
	const struct datum *record);

/* Makes the JSON of a job that is done. If it is too large for a reply, the call fails instead, and the
 * engine undoes its effect. */
void json_message_finish(struct job *job, const struct engine *engine, struct arena *arena);

#endif
