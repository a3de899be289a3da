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
#include "worker/client/codec_group.h"
#include "worker/client/json_print.h"
#include "worker/client/request_text.h"

struct codec {
	struct catalog *catalog;
	/* Created on first use, because most runs need few schemas. */
	struct json_avro **requests;
	struct json_avro **replies;
	struct json_avro *error;
};

struct codec *codec_new(char why[JSON_AVRO_WHY_MAX])
{
	struct codec *codec = alloc_zero(1, sizeof(*codec));

	codec->catalog = catalog_new(NULL, why, JSON_AVRO_WHY_MAX);
	if (!codec->catalog) {
		free(codec);
		return NULL;
	}
	codec->requests = alloc_zero(command_count, sizeof(struct json_avro *));
	codec->replies = alloc_zero(command_count, sizeof(struct json_avro *));
	return codec;
}

void codec_free(struct codec *codec)
{
	if (!codec)
		return;
	for (size_t i = 0; i < command_count; i++) {
		json_avro_free(codec->requests[i]);
		json_avro_free(codec->replies[i]);
	}
	json_avro_free(codec->error);
	free(codec->requests);
	free(codec->replies);
	catalog_free(codec->catalog);
	free(codec);
}

static struct json_avro *codec_get(struct json_avro **place, const struct catalog_schema *schema,
	char why[JSON_AVRO_WHY_MAX])
{
	if (!*place)
		*place = json_avro_new(schema, why);
	return *place;
}

static bool codec_write(struct codec *codec, int command, const json_t *request, struct buffer *out,
	char why[JSON_AVRO_WHY_MAX])
{
	const struct catalog_schema *schema = catalog_request(codec->catalog, command);
	struct json_avro *avro = codec_get(&codec->requests[command], schema, why);
	uint8_t *bytes;
	size_t size;

	if (!avro || !json_avro_encode(avro, request, &bytes, &size, why))
		return false;
	framing_write(out, schema->fingerprint);
	buffer_add(out, bytes, size);
	free(bytes);
	return true;
}

bool codec_request(struct codec *codec, int command, const json_t *request, struct buffer *out,
	char why[JSON_AVRO_WHY_MAX])
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

static json_t *decode_error(struct codec *codec, const struct framing *framing,
	char why[JSON_AVRO_WHY_MAX])
{
	struct json_avro *avro = codec_get(&codec->error, catalog_error(codec->catalog), why);

	return avro ? json_avro_decode(avro, framing->datum, framing->datum_size, why) : NULL;
}

json_t *codec_reply(struct codec *codec, int command, const void *message, size_t size,
	bool *is_error, char why[JSON_AVRO_WHY_MAX])
{
	const struct catalog_schema *schema = catalog_reply(codec->catalog, command);
	struct framing framing = framing_parse(message, size);
	struct json_avro *avro;
	json_t *reply, *result;

	*is_error = catalog_wrote(catalog_error(codec->catalog), &framing);
	if (*is_error)
		return decode_error(codec, &framing, why);
	if (!catalog_wrote(schema, &framing)) {
		snprintf(why, JSON_AVRO_WHY_MAX,
			"the reply has a schema that this stowage does not know "
			"(does the worker run another release?)");
		return NULL;
	}
	avro = codec_get(&codec->replies[command], schema, why);
	reply = avro ? json_avro_decode(avro, framing.datum, framing.datum_size, why) : NULL;
	if (!reply)
		return NULL;
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
	char why[JSON_AVRO_WHY_MAX])
{
	json_error_t error;
	char *text = request_text(codec->catalog, message, size, why, JSON_AVRO_WHY_MAX);
	json_t *json = text ? json_parse(text, strlen(text), &error) : NULL;

	if (text && !json)
		snprintf(why, JSON_AVRO_WHY_MAX, "%s", error.text);
	free(text);
	return json;
}
