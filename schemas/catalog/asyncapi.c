/* asyncapi.c - makes the AsyncAPI document from its skeleton, schemas/asyncapi.json, and the index */
#include "schemas/catalog/asyncapi.h"

#include <string.h>

#include "schemas/catalog/schema_table.h"

#define AVRO "application/vnd.apache.avro;version=1.9.0"
#define KAFKA_BINDINGS "0.5.0"
#define CORRELATION "$message.header#/correlation-id"
#define REPLIES "#/channels/replies"

static const char *asyncapi_text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static json_t *reference(const char *place, const char *name)
{
	return json_pack("{s:o}", "$ref", json_sprintf("%s/%s", place, name));
}

static json_t *place_of(const json_t *document, const char *a, const char *b)
{
	const json_t *inner = json_object_get(document, a);

	return b ? json_object_get(inner, b) : (json_t *)inner;
}

/* What the message's schema says it is. */
static json_t *asyncapi_summary(const char *schema)
{
	json_t *parsed = json_loads(schema, 0, NULL);
	json_t *doc = json_incref(json_object_get(parsed, "doc"));

	json_decref(parsed);
	return doc ? doc : json_string("");
}

static json_t *message(const char *name, const char *schema, const char *path, const char *headers)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:{s:s}, s:{s:s, s:o}}", "name", name, "title", name,
		"summary", asyncapi_summary(schema), "headers",
		reference("#/components/schemas", headers), "correlationId", "location",
		CORRELATION, "payload", "schemaFormat", AVRO, "schema", reference(".", path));
}

/* The key of the message: the field of the request. */
static json_t *key_binding(const json_t *entry)
{
	const char *key = asyncapi_text(entry, "key");

	return json_pack("{s:{s:{s:s, s:o}, s:s}}", "kafka", "key", "type", "string", "description",
		key ? json_sprintf("The request's field %s.", key)
		    : json_string("Any: no order matters."),
		"bindingVersion", KAFKA_BINDINGS);
}

/* The domain's channel, which is made at its first command. */
static json_t *channel(json_t *channels, const char *domain, const json_t *entry)
{
	json_t *found = json_object_get(channels, domain);

	if (found)
		return found;
	found = json_pack("{s:O, s:o, s:{}, s:{s:{s:O, s:s}}}", "address",
		json_object_get(entry, "topic"), "title", json_sprintf("Commands of %s", domain),
		"messages", "bindings", "kafka", "topic", json_object_get(entry, "topic"),
		"bindingVersion", KAFKA_BINDINGS);
	json_object_set_new(channels, domain, found);
	return found;
}

static json_t *operation(const char *domain, const char *method, const char *reply)
{
	json_t *place = json_sprintf("#/channels/%s", domain);
	json_t *messages = json_sprintf("#/channels/%s/messages", domain);
	json_t *made = json_pack("{s:s, s:{s:O}, s:[o], s:{s:{s:s}, s:{s:s}, s:[o, o]}}", "action",
		"receive", "channel", "$ref", place, "messages",
		reference(json_string_value(messages), method), "reply", "address", "location",
		"$message.header#/reply-to", "channel", "$ref", REPLIES, "messages",
		reference(REPLIES "/messages", reply), reference(REPLIES "/messages", "Error"));

	json_decref(place);
	json_decref(messages);
	return made;
}

static void add_command(json_t *document, const json_t *entry, const struct schema_def *def)
{
	const char *name = def->command, *method = strchr(name, '.') + 1;
	json_t *domain = json_stringn(name, (size_t)(method - 1 - name));
	json_t *reply = json_sprintf("%s.reply", name);
	json_t *messages = place_of(document, "components", "messages");
	json_t *replies = json_object_get(place_of(document, "channels", "replies"), "messages");
	json_t *own = channel(place_of(document, "channels", NULL), json_string_value(domain),
		entry);
	json_t *request = message(name, def->request, asyncapi_text(entry, "request"),
		"commandHeaders");

	json_object_set_new(request, "bindings", key_binding(entry));
	json_object_set_new(messages, name, request);
	json_object_set_new(messages, json_string_value(reply),
		message(json_string_value(reply), def->reply, asyncapi_text(entry, "reply"),
			"replyHeaders"));
	json_object_set_new(json_object_get(own, "messages"), method,
		reference("#/components/messages", name));
	json_object_set_new(replies, json_string_value(reply),
		reference("#/components/messages", json_string_value(reply)));
	json_object_set_new(place_of(document, "operations", NULL), name,
		operation(json_string_value(domain), method, json_string_value(reply)));
	json_decref(domain);
	json_decref(reply);
}

json_t *asyncapi_new(const json_t *index)
{
	json_t *document = json_loads(schema_asyncapi, 0, NULL);
	const json_t *entry;
	size_t i;

	json_object_set_new(json_object_get(document, "info"), "version",
		json_string(STOWAGE_VERSION));
	json_object_set_new(json_object_get(place_of(document, "channels", "replies"), "messages"),
		"Error", reference("#/components/messages", "Error"));
	json_array_foreach(index, i, entry)
		add_command(document, entry, &schema_defs[i]);
	return document;
}
