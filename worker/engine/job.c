/* job.c - see job.h */
#include "worker/engine/job.h"

#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "schemas/avro/framing.h"
#include "schemas/base/utf8.h"

#define STAGE_DECODE "VALUE_CONVERTER"
#define STAGE_APPLY "TASK_PUT"
/* Kafka's own limit on a topic's name. */
#define TOPIC_NAME_MAX 249

void job_refuse(struct job *job, struct arena *arena, enum failure_category category,
	const char *code, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	unicode_clean(text);
	job->refused = true;
	job->detached = false;
	job->call.state = CALL_FAILED;
	job->call.failure = (struct failure){
		.category = category,
		.code = code,
		.message = arena_copy(arena, text, strlen(text)),
	};
}

void job_refuse_breaking(struct job *job, struct arena *arena, int times)
{
	job_refuse(job, arena, FAILURE_INTERNAL, "COMMAND_BREAKS_WORKER",
		"the worker or its backend ended %d times while this command ran", times);
	job->dead = true;
}

/* Never begun, and always a dead letter. */
static void dead_letter(struct job *job)
{
	job->dead = true;
	job->stage = STAGE_DECODE;
}

static void decode_job(struct job *job, const struct engine *engine, struct arena *arena)
{
	const rd_kafka_message_t *message = job->message;
	struct framing framing = framing_parse(message->payload, message->len);
	if (framing.kind != FRAMING_SINGLE_OBJECT) {
		job_refuse(job, arena, FAILURE_INVALID, "UNKNOWN_FRAMING",
			"the message is not in Avro's single-object encoding (it must begin with C3 01)");
		dead_letter(job);
		return;
	}
	const struct catalog_writer *writer = catalog_find(engine_catalog(engine),
		framing.fingerprint);
	if (!writer) {
		job_refuse(job, arena, FAILURE_INVALID, "UNKNOWN_SCHEMA",
			"no command's schema has the fingerprint %016llx; `stowage schemas` writes the known "
			"ones, schemas.directory adds others",
			(unsigned long long)framing.fingerprint);
		dead_letter(job);
		return;
	}
	job->command = writer->command;
	struct call *call = &job->call;
	call->command = &command_defs[writer->command];
	call->request_type = catalog_request(engine_catalog(engine), writer->command)->type;
	call->reply_type = catalog_reply(engine_catalog(engine), writer->command)->type;
	job->write = (call->command->flags & COMMAND_WRITE) != 0;
	struct datum *request = arena_alloc(arena, sizeof(*request));
	struct decode_error error;
	if (!decode(writer->plan, framing.datum, framing.datum_size, &engine->limits, arena,
		    request, &error)) {
		job_refuse(job, arena, FAILURE_INVALID, error.code, "%s", error.message);
		dead_letter(job);
		return;
	}
	call->request = request;
}

static bool is_allowed(const struct engine *engine, struct header_text topic)
{
	char name[TOPIC_NAME_MAX + 1];
	if (topic.size == 0 || topic.size > TOPIC_NAME_MAX || memchr(topic.bytes, 0, topic.size))
		return false;
	memcpy(name, topic.bytes, topic.size);
	name[topic.size] = '\0';
	return regexec(&engine->reply_allow, name, 0, NULL, 0) == 0;
}

static void refuse_reply(struct job *job, struct arena *arena, const char *code, const char *why)
{
	job_refuse(job, arena, FAILURE_INVALID, code, "%s: \"%.*s\"", why,
		(int)(job->headers.reply_to.size > 249 ? 249 : job->headers.reply_to.size),
		job->headers.reply_to.bytes);
	dead_letter(job);
}

/* A command whose reply could not go where it asks is never begun. */
static enum job_verdict check_reply(struct job *job, const struct engine *engine,
	struct arena *arena)
{
	const struct headers *e = &job->headers;
	if (!e->reply_to.bytes)
		return JOB_OK;
	if (!is_allowed(engine, e->reply_to)) {
		refuse_reply(job, arena, "REPLY_TOPIC_NOT_ALLOWED",
			"the reply topic does not match replies.allow");
		return JOB_OK;
	}
	int32_t partitions;
	switch (topics_lookup(engine->topics, e->reply_to.bytes, e->reply_to.size, &partitions)) {
	case TOPIC_UNREACHABLE:
		return JOB_UNREACHABLE;
	case TOPIC_MISSING:
		refuse_reply(job, arena, "REPLY_TOPIC_UNKNOWN", "there is no such reply topic");
		return JOB_OK;
	case TOPIC_THERE:
		break;
	}
	if (e->reply_partition >= partitions) {
		refuse_reply(job, arena, "REPLY_PARTITION_UNKNOWN",
			"the reply topic has no such partition");
		return JOB_OK;
	}
	job->can_reply = true;
	return JOB_OK;
}

/* Schemas of tenants are not served yet: only the configured one may be named. */
static void check_schema(struct job *job, const struct engine *engine, struct arena *arena)
{
	struct header_text name = job->headers.schema_name;
	const char *served = engine->config->postgres.schema_name;
	if (name.bytes &&
		(name.size != strlen(served) || memcmp(name.bytes, served, name.size) != 0))
		job_refuse(job, arena, FAILURE_INVALID, "SCHEMA_NOT_ALLOWED",
			"schema-name: this worker serves the schema \"%s\" alone", served);
}

enum job_verdict job_prepare(struct job *job, const struct engine *engine, struct arena *arena,
	struct lane *lane, rd_kafka_message_t *message, int64_t applied)
{
	*job = (struct job){
		.lane = lane, .message = message, .command = COMMAND_UNKNOWN, .stage = STAGE_APPLY
	};
	headers_read(message, &job->headers);
	decode_job(job, engine, arena);
	bool wants_reply = job->headers.reply_to.bytes != NULL;
	/* Below `applied` only reads that may still owe a reply are run again. */
	if (message->offset < applied && (job->write || job->refused || !wants_reply)) {
		job->skip = true;
		return JOB_OK;
	}
	if (!job->refused && job->headers.wrong)
		job_refuse(job, arena, FAILURE_INVALID, "BAD_HEADER",
			"the header %s is not as it should be", job->headers.wrong);
	if (!job->refused)
		check_schema(job, engine, arena);
	enum job_verdict verdict = check_reply(job, engine, arena);
	job->call.wants_reply = job->can_reply;
	return verdict;
}

bool job_replies(const struct job *job)
{
	return !job->skip && job->can_reply && job->call.state != CALL_DEFERRED;
}

bool job_is_dead_letter(const struct job *job)
{
	return !job->skip && job->call.state == CALL_FAILED && (job->dead || !job->can_reply);
}

bool job_is_stored(const struct job *job)
{
	/* A read that is answered, even with an error, is simply run again after a crash. */
	return job_is_dead_letter(job) || (job_replies(job) && (job->write || job->refused));
}
