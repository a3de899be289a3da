/* dlq_request.c - the command in a dead letter */
#include "worker/client/dlq_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "handlers/domains/command_table.h"
#include "worker/client/dlq.h"
#include "worker/client/json_print.h"

/* The header `command` of a command in JSON, which the caller frees; NULL: it is Avro. */
static char *json_command(const rd_kafka_message_t *message)
{
	static const char json[] = "application/json";
	char *type = dlq_header(message, "content-type");
	bool is_json = type && strncasecmp(type, json, strlen(json)) == 0;

	free(type);
	return is_json ? dlq_header(message, "command") : NULL;
}

int dlq_command(const struct codec *codec, const rd_kafka_message_t *message)
{
	char *name = json_command(message);
	int command = name ? command_find(name, strlen(name))
			   : codec_command(codec, message->payload, message->len);

	free(name);
	return command;
}

json_t *dlq_request(const struct codec *codec, const rd_kafka_message_t *message,
	char why[CODEC_WHY_MAX])
{
	char *name = json_command(message);
	json_error_t error;
	json_t *json;

	if (!name)
		return codec_open(codec, message->payload, message->len, why);
	free(name);
	json = json_parse(message->payload ? message->payload : "", message->len, &error);
	if (!json)
		snprintf(why, CODEC_WHY_MAX, "invalid JSON at character %d: %s", error.position,
			error.text);
	return json;
}
