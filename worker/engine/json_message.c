/* json_message.c - reads requests in JSON, and writes replies in JSON */
#include "worker/engine/json_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "schemas/json_form/json_form.h"

#define NAME_SHOWN 100

/* --- requests --- */

static const char *json_message_hint(struct arena *arena, const char *name)
{
	const char *nearest = command_nearest(name);
	return nearest ? arena_printf(arena, "; did you mean %s?", nearest) : "";
}

void json_message_identify(struct job *job, const struct engine *engine, struct arena *arena)
{
	const struct catalog *catalog = engine_catalog(engine);
	struct header_text name = job->headers.command;
	int command = command_find(name.bytes, name.size);
	if (command != COMMAND_UNKNOWN) {
		job->writer = catalog_find(catalog, catalog_request(catalog, command)->fingerprint);
		return;
	}
	size_t shown = name.size < NAME_SHOWN ? name.size : NAME_SHOWN;
	const char *text = arena_copy(arena, name.bytes, shown);
	job_refuse(job, arena, FAILURE_INVALID, "UNKNOWN_COMMAND",
		"the header command names no command: \"%s\"%s", text,
		json_message_hint(arena, text));
}

/* Of a group: an object {"command": name, "request": {...}} stands for the command's message. */
static bool json_message_read_inner(void *arg, struct json object, struct buffer *out,
	struct decode_error *error)
{
	const struct engine *engine = arg;
	const struct catalog *catalog = engine_catalog(engine);
	struct json key, value, name = { 0 }, request = { "{}", 2 };
	struct json_iter iter = json_iter(object);
	while (json_next(&iter, &key, &value))
		if (json_spells(key, "command"))
			name = value;
		else if (json_spells(key, "request"))
			request = value;
	int command = json_kind(name) == JSON_STRING_KIND
		? command_find(name.text + 1, name.len - 2)
		: COMMAND_UNKNOWN;
	if (command != COMMAND_UNKNOWN) {
		const struct catalog_schema *schema = catalog_request(catalog, command);
		framing_write(out, schema->fingerprint);
		return json_form_read_value(schema->type, request, NULL, out, error);
	}
	error->code = "REQUEST_MISFIT";
	snprintf(error->message, sizeof(error->message),
		"commands: \"command\" of an element names no command");
	return false;
}

bool json_message_read(struct job *job, const struct engine *engine, struct arena *arena)
{
	const struct catalog_schema *schema = catalog_request(engine_catalog(engine), job->command);
	struct json_form_inner inner = { .read = json_message_read_inner, .arg = (void *)engine };
	bool group = command_defs[job->command].flags & COMMAND_GROUP;
	struct buffer datum = buffer_empty(engine->limits.message_bytes);
	struct decode_error error;
	bool ok = json_form_read(schema->type, job->message->payload, job->message->len,
		&engine->limits, group ? &inner : NULL, &datum, &error);
	if (ok) {
		job->framing.datum = (const uint8_t *)arena_copy(arena, (const char *)datum.data,
			datum.size);
		job->framing.datum_size = datum.size;
	} else {
		job_refuse(job, arena, FAILURE_INVALID, error.code, "%s", error.message);
	}
	buffer_free(&datum);
	return ok;
}

/* --- replies --- */

/* What the worker wrote itself has no limits. */
static const struct decode_limits json_message_limits = {
	.message_bytes = SIZE_MAX,
	.string_bytes = UINT32_MAX,
	.array_items = UINT32_MAX,
	.depth = TYPE_DEPTH_MAXIMUM,
	.json_depth = SIZE_MAX,
};

struct json_message_replies {
	const struct engine *engine;
	struct arena *arena;
};

static const struct catalog_schema *reply_schema(const struct catalog *catalog,
	const struct framing *framing)
{
	for (size_t i = 0; i < command_count; i++)
		if (catalog_wrote(catalog_reply(catalog, (int)i), framing))
			return catalog_reply(catalog, (int)i);
	return NULL;
}

static bool json_message_write_inner(void *arg, const struct datum *bytes, struct json_text *out);

static bool write_reply(const struct json_message_replies *replies,
	const struct catalog_schema *schema, const struct framing *framing,
	const struct json_form_inner *inner, struct json_text *out)
{
	struct decode_error error;
	struct datum *record = arena_alloc(replies->arena, sizeof(*record));
	if (!decode(schema->plan, framing->datum, framing->datum_size, &json_message_limits,
		    replies->arena, record, &error))
		return false;
	json_form_write(out, schema->type, record, JSON_FORM_PEOPLE, inner);
	return true;
}

/* Of a group: a reply within its reply. */
static bool json_message_write_inner(void *arg, const struct datum *bytes, struct json_text *out)
{
	const struct json_message_replies *replies = arg;
	struct framing framing = framing_parse(bytes->text, bytes->size);
	const struct catalog_schema *schema = reply_schema(engine_catalog(replies->engine),
		&framing);
	return schema && write_reply(replies, schema, &framing, NULL, out);
}

struct json json_message_reply(const struct engine *engine, struct arena *arena, int command,
	const void *reply, size_t size)
{
	struct json_message_replies replies = { engine, arena };
	struct json_form_inner inner = { .write = json_message_write_inner, .arg = &replies };
	bool group = command_defs[command].flags & COMMAND_GROUP;
	struct framing framing = framing_parse(reply, size);
	struct json_text text = json_text_sized(arena, size);
	if (!write_reply(&replies, catalog_reply(engine_catalog(engine), command), &framing,
		    group ? &inner : NULL, &text) ||
		text.len > engine->settings.max_reply_bytes)
		return (struct json){ 0 };
	return json_text_end(&text);
}

struct json json_message_record(struct arena *arena, const struct catalog_schema *schema,
	const struct datum *record)
{
	struct json_text text = json_text_new(arena);
	json_form_write(&text, schema->type, record, JSON_FORM_PEOPLE, NULL);
	return json_text_end(&text);
}

void json_message_finish(struct job *job, const struct engine *engine, struct arena *arena)
{
	struct call *call = &job->calls[0];
	if (!job->can_reply || call->state != CALL_DONE || !call->reply)
		return;
	job->json_reply = json_message_reply(engine, arena, job->command, call->reply,
		call->reply_size);
	if (job->json_reply.text &&
		job->json_reply.len + call->envelope_bytes <= engine->settings.max_reply_bytes)
		return;
	job_fail(job, arena, FAILURE_INVALID, "REPLY_TOO_LARGE",
		"the reply in JSON is larger than replies.maxBytes (%zu): ask for less at a time",
		engine->settings.max_reply_bytes);
	call->undo = job_is_write(job);
}
