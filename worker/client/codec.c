/*
 * codec.c - translates commands and replies between JSON and framed messages
 */
#include "worker/client/codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "schemas/avro/framing.h"
#include "schemas/base/alloc.h"
#include "schemas/base/text.h"
#include "schemas/json_form/json_form.h"
#include "worker/client/codec_group.h"
#include "worker/client/json_print.h"
#include "worker/client/request_text.h"

/* Of a json field. */
#define JSON_DEPTH 2048

/* What people write, and what the worker wrote, has no limits of ours. */
static const struct decode_limits codec_limits = {
	.message_bytes = SIZE_MAX,
	.string_bytes = UINT32_MAX,
	.array_items = UINT32_MAX,
	.depth = TYPE_DEPTH_MAXIMUM,
	.json_depth = JSON_DEPTH,
};

struct codec {
	struct catalog *catalog;
};

struct codec *codec_new(char why[CODEC_WHY_MAX])
{
	struct codec *codec = alloc_zero(1, sizeof(*codec));

	codec->catalog = catalog_new(NULL, why, CODEC_WHY_MAX);
	if (codec->catalog)
		return codec;
	free(codec);
	return NULL;
}

void codec_free(struct codec *codec)
{
	if (!codec)
		return;
	catalog_free(codec->catalog);
	free(codec);
}

static bool codec_write(const struct codec *codec, int command, const json_t *request,
	struct buffer *out, char why[CODEC_WHY_MAX])
{
	const struct catalog_schema *schema = catalog_request(codec->catalog, command);
	struct buffer text = { 0 };
	struct decode_error error;

	json_print(&text, request, false);
	framing_write(out, schema->fingerprint);
	bool ok = json_form_read(schema->type, text_string(&text), text.size, &codec_limits, NULL,
		out, &error);
	if (!ok)
		snprintf(why, CODEC_WHY_MAX, "%s", error.message);
	buffer_free(&text);
	return ok;
}

bool codec_request(const struct codec *codec, int command, const json_t *request,
	struct buffer *out, char why[CODEC_WHY_MAX])
{
	if (!codec_group_open(command, request))
		return codec_write(codec, command, request, out, why);
	json_t *framed = codec_group_request(codec, request, why);
	bool ok = framed && codec_write(codec, command, framed, out, why);

	json_decref(framed);
	return ok;
}

/* Follows one step of a key's path, "name" or "name[0]". */
static const json_t *step_into(const json_t *json, const char *step, size_t len)
{
	bool first = len > 3 && memcmp(step + len - 3, "[0]", 3) == 0;
	char *name = alloc_bytes(step, first ? len - 3 : len);
	const json_t *member = json_object_get(json, name);

	free(name);
	return first ? json_array_get(member, 0) : member;
}

char *codec_key(int command, const json_t *request, size_t *size)
{
	const json_t *json = request;
	char *key;

	for (const char *step = command_defs[command].key; *step && json;) {
		size_t len = strcspn(step, ".");

		json = step_into(json, step, len);
		step += len + (step[len] == '.');
	}
	*size = 0;
	if (!*command_defs[command].key)
		return NULL;
	if (json_is_string(json)) {
		*size = json_string_length(json);
		return alloc_bytes(json_string_value(json), *size);
	}
	if (!json_is_integer(json))
		return NULL;
	key = alloc_printf("%" PRId64, (int64_t)json_integer_value(json));
	*size = strlen(key);
	return key;
}

/* Decodes a datum of the schema. */
static json_t *codec_read(const struct catalog_schema *schema, const struct framing *framing,
	char why[CODEC_WHY_MAX])
{
	struct arena *arena = arena_new(0);
	struct json_text text = json_text_new(arena);
	struct decode_error error;
	json_error_t wrong;
	struct datum record;
	json_t *json = NULL;

	if (decode(schema->plan, framing->datum, framing->datum_size, &codec_limits, arena, &record,
		    &error)) {
		json_form_write(&text, schema->type, &record, JSON_FORM_PEOPLE, NULL);
		struct json written = json_text_end(&text);
		json = json_parse(written.text, written.len, &wrong);
		if (!json)
			snprintf(why, CODEC_WHY_MAX, "%s", wrong.text);
	} else {
		snprintf(why, CODEC_WHY_MAX, "is not a datum of the schema: %s", error.message);
	}
	arena_free(arena);
	return json;
}

json_t *codec_reply(const struct codec *codec, int command, const void *message, size_t size,
	bool *is_error, char why[CODEC_WHY_MAX])
{
	const struct catalog_schema *schema = catalog_reply(codec->catalog, command);
	struct framing framing = framing_parse(message, size);
	json_t *reply, *result;

	*is_error = catalog_wrote(catalog_error(codec->catalog), &framing);
	if (*is_error)
		return codec_read(catalog_error(codec->catalog), &framing, why);
	if (!catalog_wrote(schema, &framing)) {
		snprintf(why, CODEC_WHY_MAX,
			"the reply has a schema that this stowage does not know "
			"(does the worker run another release?)");
		return NULL;
	}
	reply = codec_read(schema, &framing, why);
	result = json_incref(json_object_get(reply, "result"));
	json_decref(reply);
	return result;
}

int codec_replied(const struct codec *codec, const void *message, size_t size)
{
	struct framing framing = framing_parse(message, size);

	for (size_t i = 0; i < command_count; i++)
		if (catalog_wrote(catalog_reply(codec->catalog, (int)i), &framing))
			return (int)i;
	return -1;
}

int codec_command(const struct codec *codec, const void *message, size_t size)
{
	struct framing framing = framing_parse(message, size);
	const struct catalog_writer *writer = catalog_find_framed(codec->catalog, &framing);

	return writer ? writer->command : -1;
}

json_t *codec_open(const struct codec *codec, const void *message, size_t size,
	char why[CODEC_WHY_MAX])
{
	json_error_t error;
	char *text = request_text(codec->catalog, message, size, why, CODEC_WHY_MAX);
	json_t *json = text ? json_parse(text, strlen(text), &error) : NULL;

	if (text && !json)
		snprintf(why, CODEC_WHY_MAX, "%s", error.text);
	free(text);
	return json;
}
