/* reply.c - builds replies, dead letters, and replies to calls that end later */
#include "worker/engine/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "schemas/avro/encode.h"
#include "schemas/avro/framing.h"
#include "worker/engine/json_message.h"

#define REPLY_HEADERS_MAX 10
#define CONTENT_TYPE "content-type"
#define NEST_DISPOSED "kafka_nest-is-disposed"
#define CONTEXT_HEADERS 8
/* The makers of errors bound their messages and details; this limit only catches a defect. */
#define ERROR_BYTES_MAX (1024 * 1024)

static struct datum error_datum(const struct failure *failure, struct datum *fields)
{
	fields[0] = datum_string(failure->code);
	fields[1] = datum_string(failure_category_name(failure->category));
	fields[2] = datum_string(failure->message ? failure->message : "");
	fields[3] = datum_boolean(failure->retryable);
	fields[4] = datum_string(failure->details ? failure->details : "{}");
	return datum_record(fields, 5);
}

static void reply_add_header(struct outgoing *out, const char *name, const void *value, size_t size)
{
	out->headers[out->header_count++] = (struct outgoing_header){ name, value, size };
}

static void add_text(struct outgoing *out, const char *name, const char *value)
{
	reply_add_header(out, name, value, strlen(value));
}

static void add_echo(void *out, const char *name, struct header_text value)
{
	reply_add_header(out, name, value.bytes, value.size);
}

static void add_nest_error(struct outgoing *out, const struct failure *failure, struct arena *arena)
{
	add_text(out, "kafka_nest-err",
		arena_printf(arena, "%s: %s", failure->code, failure->message));
}

/* Everything of a reply but its value and status. */
static void reply_start(const struct job *job, struct arena *arena, struct outgoing *out)
{
	const struct headers *headers = &job->headers;
	*out = (struct outgoing){
		.topic = arena_copy(arena, headers->reply_to.bytes, headers->reply_to.size),
		.partition = headers->reply_partition,
		.key = job->message->key,
		.key_size = job->message->key_len,
		.headers = arena_calloc(arena, REPLY_HEADERS_MAX, sizeof(struct outgoing_header)),
	};
	headers_echo(headers, add_echo, out);
	if (job->command >= 0)
		add_text(out, "command", command_defs[job->command].name);
	if (headers->kafka_names)
		add_text(out, NEST_DISPOSED, "1");
	if (job->json)
		add_text(out, CONTENT_TYPE, JSON_MEDIA_TYPE);
}

static const struct outgoing_header *find_header(const struct outgoing *message, const char *name)
{
	for (size_t i = 0; i < message->header_count; i++)
		if (strcmp(message->headers[i].name, name) == 0 && message->headers[i].value)
			return &message->headers[i];
	return NULL;
}

/* A record that always fits becomes the message's value, in the arena: in JSON if a header says so. */
static void end_small(struct outgoing *out, struct arena *arena,
	const struct catalog_schema *schema, const struct datum *record)
{
	struct buffer buffer = buffer_empty(ERROR_BYTES_MAX);
	char why[256];
	if (find_header(out, CONTENT_TYPE)) {
		struct json json = json_message_record(arena, schema, record);
		out->value = json.text;
		out->value_size = json.len;
		return;
	}
	framing_write(&buffer, schema->fingerprint);
	if (encode(&buffer, schema->type, record, why, sizeof(why)) != ENCODE_OK) {
		fprintf(stderr, "stowage: %s can't be encoded: %s\n", schema->type->name, why);
		abort();
	}
	out->value = arena_copy(arena, (const char *)buffer.data, buffer.size);
	out->value_size = buffer.size;
	buffer_free(&buffer);
}

static void end_ok(struct outgoing *out, const void *reply, size_t size)
{
	out->value = reply;
	out->value_size = size;
	add_text(out, "status", "ok");
}

static void end_failed(struct outgoing *out, const struct engine *engine, struct arena *arena,
	const struct failure *failure, bool kafka_names)
{
	struct datum fields[5];
	struct datum error = error_datum(failure, fields);
	end_small(out, arena, catalog_error(engine_catalog(engine)), &error);
	add_text(out, "status", "error");
	if (kafka_names)
		add_nest_error(out, failure, arena);
}

/* The reply of the first command with the same idempotency key. */
static void end_repeated(struct outgoing *out, const struct job *job, const struct engine *engine,
	struct arena *arena)
{
	const struct idempotency_key *key = job->key;
	if (!job->json) {
		end_ok(out, key->reply, key->reply_size);
		return;
	}
	struct json json = json_message_reply(engine, arena, job->command, key->reply,
		key->reply_size);
	if (json.text) {
		end_ok(out, json.text, json.len);
		return;
	}
	struct failure failure = { .code = "REPLY_TOO_LARGE",
		.message = "the reply in JSON is larger than replies.maxBytes" };
	end_failed(out, engine, arena, &failure, job->headers.kafka_names);
}

void reply_build(const struct job *job, const struct engine *engine, struct arena *arena,
	struct outgoing *out)
{
	const struct call *call = job_result(job);
	reply_start(job, arena, out);
	if (job->key && job->key->state == IDEMPOTENCY_REPLIED)
		end_repeated(out, job, engine, arena);
	else if (call->state == CALL_DONE && job->json)
		end_ok(out, job->json_reply.text, job->json_reply.len);
	else if (call->state == CALL_DONE)
		end_ok(out, call->reply, call->reply_size);
	else
		end_failed(out, engine, arena, &call->failure, job->headers.kafka_names);
}

static size_t count_headers(rd_kafka_headers_t *headers)
{
	return headers ? rd_kafka_header_cnt(headers) : 0;
}

static void copy_headers(struct outgoing *out, rd_kafka_headers_t *headers)
{
	const char *name;
	const void *value;
	size_t size;
	for (size_t i = 0; headers && !rd_kafka_header_get_all(headers, i, &name, &value, &size);
		i++)
		reply_add_header(out, name, value, size);
}

static void add_context(struct outgoing *out, const struct job *job, const struct engine *engine,
	struct arena *arena)
{
	add_text(out, DEAD_LETTER_CONTEXT "topic", job->lane->topic);
	add_text(out, DEAD_LETTER_CONTEXT "partition",
		arena_printf(arena, "%d", job->lane->partition));
	add_text(out, DEAD_LETTER_CONTEXT "offset",
		arena_printf(arena, "%lld", (long long)job->message->offset));
	add_text(out, DEAD_LETTER_CONTEXT "connector.name", engine->config->kafka.group_id);
	add_text(out, DEAD_LETTER_CONTEXT "stage", job->stage);
	rd_kafka_timestamp_type_t type;
	int64_t timestamp = rd_kafka_message_timestamp(job->message, &type);
	if (timestamp > 0)
		add_text(out, DEAD_LETTER_TIMESTAMP,
			arena_printf(arena, "%lld", (long long)timestamp));
}

static void add_cause(struct outgoing *out, const struct failure *failure)
{
	add_text(out, DEAD_LETTER_CONTEXT "exception.class.name", failure->code);
	add_text(out, DEAD_LETTER_CONTEXT "exception.message",
		failure->message ? failure->message : "");
}

/* Everything of a dead letter but its cause. */
static void start_dead_letter(const struct job *job, const struct engine *engine,
	struct arena *arena, struct outgoing *out)
{
	const rd_kafka_message_t *message = job->message;
	rd_kafka_headers_t *headers = NULL;
	rd_kafka_message_headers(message, &headers);
	*out = (struct outgoing){
		.topic = arena_printf(arena, "%s.dlq", job->lane->topic),
		.partition = -1,
		.dead_letter = true,
		.key = message->key,
		.key_size = message->key_len,
		.value = message->payload,
		.value_size = message->len,
		.headers = arena_calloc(arena, count_headers(headers) + CONTEXT_HEADERS,
			sizeof(struct outgoing_header)),
	};
	copy_headers(out, headers);
	add_context(out, job, engine, arena);
}

void reply_dead_letter(const struct job *job, const struct engine *engine, struct arena *arena,
	struct outgoing *out)
{
	start_dead_letter(job, engine, arena, out);
	add_cause(out, &job_result(job)->failure);
}

/* --- calls that end later --- */

static void reply_address(const struct job *job, const struct engine *engine, struct arena *arena,
	struct outgoing *out)
{
	if (job->can_reply)
		reply_start(job, arena, out);
	else
		start_dead_letter(job, engine, arena, out);
}

const void *reply_address_bytes(const void *engine, struct call *call, struct arena *arena,
	size_t *size)
{
	struct outgoing message;
	struct buffer buffer = { 0 };
	reply_address(job_of(call), engine, arena, &message);
	outgoing_write(&buffer, &message);
	const char *bytes = arena_copy(arena, (const char *)buffer.data, buffer.size);
	*size = buffer.size;
	buffer_free(&buffer);
	return bytes;
}

static void end_null(struct outgoing *out, const struct engine *engine, struct arena *arena,
	int command)
{
	struct datum null = datum_null();
	struct datum reply = datum_record(&null, 1);
	end_small(out, arena, catalog_reply(engine_catalog(engine), command), &reply);
	add_text(out, "status", "ok");
}

bool reply_finish(const struct outgoing *address, const struct engine *engine, struct arena *arena,
	const struct failure *failure, struct outgoing *out)
{
	if (address->dead_letter && !failure)
		return false;
	size_t most = address->header_count + REPLY_HEADERS_MAX;
	*out = *address;
	out->headers = arena_calloc(arena, most, sizeof(*out->headers));
	for (size_t i = 0; i < address->header_count; i++)
		out->headers[i] = address->headers[i];
	const struct outgoing_header *name = find_header(address, "command");
	int command = name ? command_find(name->value, name->size) : COMMAND_UNKNOWN;
	if (address->dead_letter)
		add_cause(out, failure);
	else if (failure)
		end_failed(out, engine, arena, failure,
			find_header(address, NEST_DISPOSED) != NULL);
	else if (command != COMMAND_UNKNOWN)
		end_null(out, engine, arena, command);
	else
		return false;
	return true;
}
