/* job.c - decodes a message into calls, checks what it asks for, and concludes its outcome */
#include "worker/engine/job.h"

#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fields.gen.h"
#include "handlers/domains/command_table.h"
#include "schemas/base/utf8.h"
#include "worker/engine/group.h"
#include "worker/engine/idempotency.h"
#include "worker/engine/json_message.h"

#define STAGE_DECODE "VALUE_CONVERTER"
#define STAGE_APPLY "TASK_PUT"
/* Kafka's limit on a topic's name. */
#define TOPIC_NAME_MAX 249

/* --- refusing --- */

static void set_failure(struct job *job, struct arena *arena, enum failure_category category,
	const char *code, const char *format, va_list args)
{
	char text[1024];
	vsnprintf(text, sizeof(text), format, args);
	unicode_clean(text);
	job->calls[0].state = CALL_FAILED;
	job->calls[0].failure = (struct failure){
		.category = category,
		.code = code,
		.message = arena_copy(arena, text, strlen(text)),
	};
}

void job_fail(struct job *job, struct arena *arena, enum failure_category category,
	const char *code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	set_failure(job, arena, category, code, format, args);
	va_end(args);
}

void job_refuse(struct job *job, struct arena *arena, enum failure_category category,
	const char *code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	set_failure(job, arena, category, code, format, args);
	va_end(args);
	job->refused = true;
	job->disposition = DISPOSITION_PENDING; /* job_conclude decides */
}

void job_refuse_breaking(struct job *job, struct arena *arena, int times)
{
	job_refuse(job, arena, FAILURE_INTERNAL, "COMMAND_BREAKS_WORKER",
		"the worker or its backend ended %d times while this command ran", times);
	job->dead_letter = true;
}

/* The job never begins, and always becomes a dead letter. */
static void job_refuse_decoding(struct job *job)
{
	job->dead_letter = true;
	job->stage = STAGE_DECODE;
}

/* --- identifying --- */

static void find_writer(struct job *job, const struct engine *engine, struct arena *arena)
{
	job->framing = framing_parse(job->message->payload, job->message->len);
	if (!framing_accepted(&job->framing)) {
		job_refuse(job, arena, FAILURE_INVALID, "UNKNOWN_FRAMING",
			"the message is not in Avro's single-object encoding (it must begin with "
			"C3 01)");
		return;
	}
	job->writer = catalog_find_framed(engine_catalog(engine), &job->framing);
	if (!job->writer)
		job_refuse(job, arena, FAILURE_INVALID, "UNKNOWN_SCHEMA",
			"no command's schema has the fingerprint %016llx; `stowage schemas` writes "
			"the known ones, schemas.directory adds others",
			(unsigned long long)job->framing.fingerprint);
}

static bool check_size(struct job *job, const struct engine *engine, struct arena *arena)
{
	const struct config *config = engine->config;
	const struct headers *headers = &job->headers;
	if (headers->count <= (size_t)config->limits.headers &&
		headers->bytes <= (size_t)config->limits.header_bytes)
		return true;
	job_refuse(job, arena, FAILURE_INVALID, "HEADERS_BEYOND_LIMIT",
		"the message has %zu headers of %zu bytes; the limits are %lld (limits.headers) "
		"and %lld (limits.headerBytes)",
		headers->count, headers->bytes, (long long)config->limits.headers,
		(long long)config->limits.header_bytes);
	return false;
}

void job_identify(struct job *job, const struct engine *engine, struct arena *arena,
	struct lane *lane, rd_kafka_message_t *message)
{
	*job = (struct job){
		.lane = lane,
		.message = message,
		.command = COMMAND_UNKNOWN,
		.stage = STAGE_APPLY,
		.calls = arena_calloc(arena, 1, sizeof(struct call)),
		.call_count = 1,
	};
	headers_read(message, (size_t)engine->config->limits.headers, &job->headers);
	job->json = job->headers.json && job->headers.command.bytes;
	if (check_size(job, engine, arena))
		(job->json ? json_message_identify : find_writer)(job, engine, arena);
	if (!job->writer) {
		job_refuse_decoding(job);
		return;
	}
	job->command = job->writer->command;
	job->calls[0].command = &command_defs[job->command];
}

/* --- preparing --- */

void job_set_command(const struct job *job, struct call *call, const struct engine *engine,
	int command)
{
	const struct catalog *catalog = engine_catalog(engine);
	const struct catalog_schema *reply = catalog_reply(catalog, command);
	call->command = &command_defs[command];
	call->request_type = catalog_request(catalog, command)->type;
	call->reply_type = reply->type;
	call->reply_fingerprint = reply->fingerprint;
	call->deadline_ms = job->headers.deadline_ms;
}

static void job_decode(struct job *job, const struct engine *engine, struct arena *arena)
{
	struct call *call = &job->calls[0];
	struct datum *request = arena_alloc(arena, sizeof(*request));
	struct decode_error error;
	job_set_command(job, call, engine, job->command);
	call->request = request;
	if (job->json && !json_message_read(job, engine, arena)) {
		job_refuse_decoding(job);
		return;
	}
	if (decode(job->writer->plan, job->framing.datum, job->framing.datum_size, &engine->limits,
		    arena, request, &error)) {
		if (call->command->flags & COMMAND_GROUP)
			group_decode(job, engine, arena);
		job->direct_read = (call->command->flags & COMMAND_DIRECT) &&
			datum_field(request, STORAGE_QUERY__READ_ONLY)->boolean;
		return;
	}
	job_refuse(job, arena, FAILURE_INVALID, error.code, "%s", error.message);
	job_refuse_decoding(job);
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

bool job_must_ask(const struct headers *headers, const struct engine *engine)
{
	struct header_text topic = headers->reply_to;
	int32_t partitions;
	return topic.bytes &&
		reply_topics_known(engine->reply_topics, topic.bytes, topic.size, &partitions) ==
		REPLY_TOPIC_UNASKED &&
		is_allowed(engine, topic);
}

static void refuse_reply(struct job *job, struct arena *arena, const char *code, const char *why)
{
	struct header_text topic = job->headers.reply_to;
	job_refuse(job, arena, FAILURE_INVALID, code, "%s: \"%.*s\"", why,
		(int)(topic.size > TOPIC_NAME_MAX ? TOPIC_NAME_MAX : topic.size), topic.bytes);
	job_refuse_decoding(job);
}

static void add_echo_bytes(void *arg, const char *name, struct header_text value)
{
	*(size_t *)arg += strlen(name) + value.size;
}

/* What the reply repeats of the command: its key, and headers of any size. */
static size_t job_envelope_bytes(const struct job *job)
{
	size_t bytes = job->message->key_len;
	headers_echo(&job->headers, add_echo_bytes, &bytes);
	return bytes;
}

/* A command whose reply cannot go where it asks never begins. */
static enum job_verdict check_reply(struct job *job, const struct engine *engine,
	struct arena *arena)
{
	struct header_text topic = job->headers.reply_to;
	int32_t partitions;
	if (!topic.bytes)
		return JOB_OK;
	if (!is_allowed(engine, topic)) {
		refuse_reply(job, arena, "REPLY_TOPIC_NOT_ALLOWED",
			"the reply topic does not match replies.allow");
		return JOB_OK;
	}
	switch (reply_topics_known(engine->reply_topics, topic.bytes, topic.size, &partitions)) {
	case REPLY_TOPIC_UNASKED:
	case REPLY_TOPIC_UNSURE:
		return JOB_UNREACHABLE;
	case REPLY_TOPIC_MISSING:
		refuse_reply(job, arena, "REPLY_TOPIC_UNKNOWN", "there is no such reply topic");
		return JOB_OK;
	case REPLY_TOPIC_THERE:
		break;
	}
	if (job->headers.reply_partition >= partitions)
		refuse_reply(job, arena, "REPLY_PARTITION_UNKNOWN",
			"the reply topic has no such partition");
	else if (job_envelope_bytes(job) > engine->settings.max_reply_bytes / 2)
		refuse_reply(job, arena, "REPLY_TOO_LARGE",
			"key and headers alone take more than half of replies.maxBytes");
	else
		job->can_reply = true;
	return JOB_OK;
}

/* Nothing of the command is read before its schema is allowed. */
static void check_schema(struct job *job, const struct engine *engine, struct arena *arena)
{
	struct header_text name = job->headers.schema_name;
	const char *why;
	if (!tenants_allow(engine->tenants, name, arena, &job->calls[0].schema, &why))
		job_refuse(job, arena, FAILURE_INVALID, "SCHEMA_NOT_ALLOWED",
			"schema-name: \"%.*s\" %s", (int)(name.size > 63 ? 63 : name.size),
			name.bytes, why);
}

enum job_verdict job_prepare(struct job *job, const struct engine *engine, struct arena *arena,
	int64_t applied)
{
	if (!job->refused)
		check_schema(job, engine, arena);
	if (!job->refused)
		job_decode(job, engine, arena);
	bool wants_reply = job->headers.reply_to.bytes != NULL;
	/* Below `applied`, only reads that may still owe a reply run again. */
	if (job->message->offset < applied && (job_is_write(job) || job->refused || !wants_reply)) {
		job->disposition = DISPOSITION_SKIP;
		return JOB_OK;
	}
	if (!job->refused && job->headers.wrong)
		job_refuse(job, arena, FAILURE_INVALID, "BAD_HEADER",
			"the header %s has an invalid value", job->headers.wrong);
	enum job_verdict verdict = check_reply(job, engine, arena);
	if (!job->refused)
		idempotency_read(job, engine, arena);
	size_t envelope = job->can_reply ? job_envelope_bytes(job) : 0;
	for (size_t i = 0; i < job->call_count; i++) {
		job->calls[i].wants_reply = job->can_reply || job->key;
		job->calls[i].envelope_bytes = envelope;
		job->calls[i].schema = job->calls[0].schema;
	}
	return verdict;
}

/* --- concluding --- */

bool job_runs(const struct job *job)
{
	return job->disposition == DISPOSITION_PENDING && !job->refused &&
		!(job->key &&
			(job->key->state == IDEMPOTENCY_REPLIED ||
				job->key->state == IDEMPOTENCY_OTHER));
}

unsigned job_flags(const struct job *job)
{
	unsigned flags = job->command >= 0 ? command_defs[job->command].flags : 0;
	return job->direct_read
		? (flags & ~(unsigned)COMMAND_WRITE) | COMMAND_READ | COMMAND_DETACHED
		: flags;
}

bool job_is_write(const struct job *job)
{
	return (job_flags(job) & COMMAND_WRITE) != 0;
}

const struct call *job_result(const struct job *job)
{
	for (size_t i = 0; i < job->call_count; i++)
		if (job->calls[i].state == CALL_FAILED)
			return &job->calls[i];
	return &job->calls[job->call_count - 1];
}

void job_conclude(struct job *job)
{
	if (job->disposition == DISPOSITION_SKIP || job->disposition == DISPOSITION_DETACHED)
		return; /* a skipped job may have no calls */
	const struct call *result = job_result(job);
	if (result->state == CALL_DEFERRED)
		job->disposition = DISPOSITION_DEFERRED;
	else if (result->state == CALL_FAILED && (job->dead_letter || !job->can_reply))
		job->disposition = DISPOSITION_DEAD_LETTER;
	else if (!job->can_reply)
		job->disposition = DISPOSITION_SILENT;
	else if (job_is_write(job) || job->refused)
		job->disposition = DISPOSITION_REPLY_STORED;
	else /* a read that fails is simply run again after a crash */
		job->disposition = DISPOSITION_REPLY;
}

bool job_replies(const struct job *job)
{
	return job->disposition == DISPOSITION_REPLY ||
		job->disposition == DISPOSITION_REPLY_STORED ||
		(job->disposition == DISPOSITION_DEAD_LETTER && job->can_reply);
}

bool job_is_stored(const struct job *job)
{
	return job->disposition == DISPOSITION_REPLY_STORED ||
		job->disposition == DISPOSITION_DEAD_LETTER;
}
