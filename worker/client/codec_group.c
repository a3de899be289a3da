/* codec_group.c - the commands inside of a command as JSON */
#include "worker/client/codec_group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "schemas/base/base64.h"
#include "worker/client/json_print.h"

#define COMMANDS "commands" /* the request's only field */

bool codec_group_open(int command, const json_t *request)
{
	const json_t *commands = json_object_get(request, COMMANDS), *element;
	size_t i;

	if (!(command_defs[command].flags & COMMAND_GROUP))
		return false;
	json_array_foreach(commands, i, element)
		if (json_is_object(element))
			return true;
	return false;
}

/* The element as it goes into the request; NULL: it has a mistake. */
static json_t *frame_one(const struct codec *codec, json_t *element, char why[CODEC_WHY_MAX])
{
	const char *name = json_string_value(json_object_get(element, "command"));
	const json_t *given = json_object_get(element, "request");
	struct buffer message = { 0 };
	json_t *json = NULL, *request;
	int command = name ? command_find(name, strlen(name)) : -1;

	if (!json_is_object(element))
		return json_incref(element);
	if (command < 0) {
		snprintf(why, CODEC_WHY_MAX, "\"command\" names no command");
		return NULL;
	}
	request = given ? json_incref((json_t *)given) : json_object();
	if (codec_request(codec, command, request, &message, why))
		json = base64_json(message.data, message.size);
	json_decref(request);
	buffer_free(&message);
	return json;
}

json_t *codec_group_request(const struct codec *codec, const json_t *request,
	char why[CODEC_WHY_MAX])
{
	json_t *framed = json_copy((json_t *)request), *commands = json_array(), *element;
	char mistake[CODEC_WHY_MAX];
	size_t i;

	json_array_foreach(json_object_get(request, COMMANDS), i, element) {
		json_t *one = frame_one(codec, element, mistake);

		if (!one) {
			snprintf(why, CODEC_WHY_MAX, COMMANDS "[%zu]: %.400s", i, mistake);
			json_decref(commands);
			json_decref(framed);
			return NULL;
		}
		json_array_append_new(commands, one);
	}
	json_object_set_new(framed, COMMANDS, commands);
	return framed;
}

static json_t *open_one(const struct codec *codec, json_t *reply)
{
	char why[CODEC_WHY_MAX];
	bool is_error;
	uint8_t *message;
	size_t size;
	json_t *result = NULL;

	if (!base64_read(json_string_value(reply), json_string_length(reply), &message, &size))
		return json_incref(reply);
	int command = codec_replied(codec, message, size);
	if (command >= 0)
		result = codec_reply(codec, command, message, size, &is_error, why);
	free(message);
	return result ? result : json_incref(reply);
}

json_t *codec_group_reply(const struct codec *codec, const json_t *replies)
{
	json_t *results = json_array(), *reply;
	size_t i;

	json_array_foreach(replies, i, reply)
		json_array_append_new(results, open_one(codec, reply));
	return results;
}
