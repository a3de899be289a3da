/*
 * sender.c - sends commands and receives their replies
 */
#include "worker/client/sender.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "handlers/domains/command_table.h"
#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "worker/client/codec.h"
#include "worker/client/codec_group.h"
#include "worker/kafka/topic_create.h"

#define PREFIX_SIZE 17 /* 16 hexadecimal digits */
#define MESSAGE_MAX ((size_t)1 << 30)
#define TOPIC_NAME_SIZE 250 /* Kafka's limit and a NUL */

enum slot_state { SLOT_WAITING, SLOT_DONE };

struct slot {
	enum slot_state state;
	int command;
	bool group;  /* the reply holds replies, which are opened */
	int64_t due; /* clock_tick_ms */
	struct send_outcome outcome;
	char topic[TOPIC_NAME_SIZE];
	char why[CLIENT_ERROR_MAX];
};

struct sender {
	struct send_options options;
	struct client *client;
	struct codec *codec;
	rd_kafka_t *replies; /* NULL: no replies requested */
	char prefix[PREFIX_SIZE];
	uint64_t first, next; /* commands first to next - 1 have slots */
	struct slot slots[SEND_WINDOW];
	struct buffer message;
	int known[64]; /* a command of each domain whose topic was looked up */
	size_t known_count;
};

static struct slot *slot_of(struct sender *sender, uint64_t number)
{
	return &sender->slots[number % SEND_WINDOW];
}

static void sender_finish(struct slot *slot, enum exit_status status, json_t *json)
{
	slot->state = SLOT_DONE;
	slot->outcome.status = status;
	slot->outcome.command = slot->command;
	slot->outcome.json = json;
	slot->outcome.why = slot->why;
}

/* A message's opaque is its command's number + 1. */
static void sender_on_delivered(void *arg, const rd_kafka_message_t *message, const char *error)
{
	struct sender *sender = arg;
	uint64_t number = (uint64_t)(uintptr_t)message->_private - 1;
	struct slot *slot = slot_of(sender, number);

	if (number < sender->first || slot->state == SLOT_DONE)
		return;
	if (error) {
		snprintf(slot->why, sizeof(slot->why), "Kafka rejected the command: %s%s%.200s",
			error, *client_complaint(sender->client) ? ": " : "",
			client_complaint(sender->client));
		sender_finish(slot, EXIT_KAFKA, NULL);
		return;
	}
	snprintf(slot->topic, sizeof(slot->topic), "%s", rd_kafka_topic_name(message->rkt));
	slot->outcome.topic = slot->topic;
	slot->outcome.partition = message->partition;
	slot->outcome.offset = message->offset;
	if (!sender->replies)
		sender_finish(slot, EXIT_OK, NULL);
}

static void make_prefix(char prefix[PREFIX_SIZE])
{
	uint64_t bits = 0;

	while (getrandom(&bits, sizeof(bits), 0) != sizeof(bits) && errno == EINTR)
		;
	snprintf(prefix, PREFIX_SIZE, "%016" PRIx64, bits);
}

/* Returns the topic's number of partitions, or 0 with *error set. */
static int32_t find_topic(struct sender *sender, const char *topic, struct client_error *error)
{
	int32_t partitions = 0;

	switch (topics_lookup(client_topics(sender->client), topic, strlen(topic), &partitions)) {
	case TOPIC_THERE:
		return partitions;
	case TOPIC_MISSING:
		client_error_set(error, "`stowage topics create` creates it",
			"topic %s does not exist", topic);
		return 0;
	default:
		client_poll(sender->client, 0);
		client_error_set(error, NULL, "cannot look up topic %s: %s", topic,
			client_complaint(sender->client));
		return 0;
	}
}

static bool open_replies(struct sender *sender, const struct config *config,
	struct client_error *error)
{
	const char *topic = sender->options.reply_topic;
	int32_t partitions = find_topic(sender, topic, error);

	if (partitions == 0)
		return false;
	sender->replies = client_reader_new(config, error->text);
	return sender->replies &&
		client_reader_from_end(sender->replies, topic, partitions, error->text);
}

/* Returns the exit status. */
static int connect_sender(struct sender *sender, const struct config *config,
	struct client_error *error)
{
	const struct client_options options = {
		.linger_ms = sender->options.linger_ms,
		.delivery_timeout_ms = (int)sender->options.timeout_ms,
		.delivered = sender_on_delivered,
		.arg = sender,
	};
	int status;

	sender->client = client_new(config, &options, &status, error);
	if (!sender->client)
		return status;
	return !sender->options.reply_topic || open_replies(sender, config, error) ? EXIT_OK
										   : EXIT_KAFKA;
}

struct sender *sender_new(const struct config *config, const struct send_options *options,
	int *status, struct client_error *error)
{
	struct sender *sender = alloc_zero(1, sizeof(*sender));
	char why[CODEC_WHY_MAX];

	error->hint = NULL;
	sender->options = *options;
	sender->message = buffer_empty(MESSAGE_MAX);
	make_prefix(sender->prefix);
	sender->codec = codec_new(why);
	if (sender->codec) {
		*status = connect_sender(sender, config, error);
	} else {
		client_error_set(error, NULL, "%s", why);
		*status = EXIT_FAILED;
	}
	if (*status == EXIT_OK)
		return sender;
	sender_free(sender);
	return NULL;
}

void sender_free(struct sender *sender)
{
	for (uint64_t i = sender->first; i < sender->next; i++)
		json_decref(slot_of(sender, i)->outcome.json);
	client_reader_free(sender->replies);
	client_free(sender->client);
	codec_free(sender->codec);
	buffer_free(&sender->message);
	free(sender);
}

bool sender_has_room(const struct sender *sender)
{
	return sender->next - sender->first < SEND_WINDOW;
}

uint64_t sender_under_way(const struct sender *sender)
{
	return sender->next - sender->first;
}

static void sender_add_header(rd_kafka_headers_t *headers, const char *name, size_t name_size,
	const char *value, size_t size)
{
	rd_kafka_header_add(headers, name, (ssize_t)name_size, value, (ssize_t)size);
}

static rd_kafka_headers_t *make_headers(const struct sender *sender,
	const struct send_request *request)
{
	const struct send_options *options = &sender->options;
	rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
	const char *name;
	json_t *value;

	if (options->reply_topic) {
		char *id = alloc_printf("%s-%" PRIu64, sender->prefix, sender->next);

		sender_add_header(headers, "reply-to", 8, options->reply_topic,
			strlen(options->reply_topic));
		sender_add_header(headers, "correlation-id", 14, id, strlen(id));
		free(id);
	}
	for (size_t i = 0; i < options->header_count; i++) {
		size_t len = strcspn(options->headers[i], "=");

		sender_add_header(headers, options->headers[i], len, options->headers[i] + len + 1,
			strlen(options->headers[i]) - len - 1);
	}
	json_object_foreach((json_t *)request->headers, name, value)
		sender_add_header(headers, name, strlen(name), json_string_value(value),
			json_string_length(value));
	return headers;
}

/* Looks up a domain's topic once, because sending to a missing topic might create it. */
static bool topic_known(struct sender *sender, int command, const char *topic,
	struct client_error *error)
{
	for (size_t i = 0; i < sender->known_count; i++)
		if (sender->options.topic ||
			strcmp(command_defs[sender->known[i]].domain,
				command_defs[command].domain) == 0)
			return true;
	if (find_topic(sender, topic, error) == 0)
		return false;
	if (sender->known_count < sizeof(sender->known) / sizeof(sender->known[0]))
		sender->known[sender->known_count++] = command;
	return true;
}

static bool sender_produce(struct sender *sender, const struct send_request *request,
	const char *topic, char why[CLIENT_ERROR_MAX])
{
	size_t key_size = request->key ? strlen(request->key) : 0;
	char *key = request->key ? alloc_copy(request->key)
				 : codec_key(request->command, request->body, &key_size);
	const struct client_message message = {
		.topic = topic,
		.partition = RD_KAFKA_PARTITION_UA,
		.key = key,
		.key_size = key_size,
		.value = sender->message.data,
		.value_size = sender->message.size,
		.headers = make_headers(sender, request),
		.opaque = (void *)(uintptr_t)(sender->next + 1),
	};
	bool ok = client_produce(sender->client, &message, why);

	free(key);
	return ok;
}

bool sender_send(struct sender *sender, const struct send_request *request, int *status,
	struct client_error *error)
{
	struct slot *slot = slot_of(sender, sender->next);
	char *topic = sender->options.topic
		? alloc_copy(sender->options.topic)
		: alloc_printf(TOPIC_COMMANDS "%s", command_defs[request->command].domain);
	bool ok;

	buffer_clear(&sender->message);
	*status = EXIT_FAILED;
	error->hint = NULL;
	ok = codec_request(sender->codec, request->command, request->body, &sender->message,
		error->text);
	if (ok) {
		*status = EXIT_KAFKA;
		ok = topic_known(sender, request->command, topic, error);
	}
	if (ok) {
		*slot = (struct slot){ .command = request->command,
			.group = codec_group_open(request->command, request->body),
			.due = clock_tick_ms() + sender->options.timeout_ms };
		ok = sender_produce(sender, request, topic, error->text);
	}
	free(topic);
	if (!ok)
		return false;
	sender->next++;
	*status = EXIT_OK;
	return true;
}

/* The slot of the command that the message answers, NULL if there is none. */
static struct slot *sender_find_slot(struct sender *sender, const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;
	const void *id;
	size_t size;
	char text[64];
	uint64_t number;
	char *end;

	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
		rd_kafka_header_get_last(headers, "correlation-id", &id, &size) || !id ||
		size >= sizeof(text) || size < PREFIX_SIZE ||
		memcmp(id, sender->prefix, PREFIX_SIZE - 1) != 0)
		return NULL;
	snprintf(text, sizeof(text), "%.*s", (int)size, (const char *)id);
	number = strtoull(text + PREFIX_SIZE, &end, 10);
	if (text[PREFIX_SIZE - 1] != '-' || *end || number < sender->first ||
		number >= sender->next)
		return NULL;
	return slot_of(sender, number);
}

static void accept_reply(struct sender *sender, const rd_kafka_message_t *message)
{
	struct slot *slot = sender_find_slot(sender, message);
	bool is_error;
	json_t *json;

	/* A reply may arrive twice. */
	if (!slot || slot->state == SLOT_DONE)
		return;
	json = codec_reply(sender->codec, slot->command, message->payload, message->len, &is_error,
		slot->why);
	if (json && !is_error && slot->group) {
		json_t *results = codec_group_reply(sender->codec, json);

		json_decref(json);
		json = results;
	}
	sender_finish(slot, !json ? EXIT_FAILED : is_error ? EXIT_REFUSED : EXIT_OK, json);
}

static void read_replies(struct sender *sender, int wait_ms)
{
	rd_kafka_message_t *message;

	while ((message = rd_kafka_consumer_poll(sender->replies, wait_ms))) {
		if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
			accept_reply(sender, message);
		rd_kafka_message_destroy(message);
		wait_ms = 0;
	}
}

static void sender_expire(struct sender *sender, struct slot *slot, int64_t now)
{
	if (slot->state == SLOT_DONE || now < slot->due || !sender->replies)
		return;
	snprintf(slot->why, sizeof(slot->why), "no reply within %" PRId64 " s",
		sender->options.timeout_ms / 1000);
	sender_finish(slot, EXIT_NO_ANSWER, NULL);
}

void sender_serve(struct sender *sender, int wait_ms)
{
	int64_t now;

	if (sender->replies)
		read_replies(sender, wait_ms);
	client_poll(sender->client, sender->replies ? 0 : wait_ms);
	now = clock_tick_ms();
	while (sender->first < sender->next) {
		struct slot *slot = slot_of(sender, sender->first);

		sender_expire(sender, slot, now);
		if (slot->state != SLOT_DONE)
			break;
		sender->options.done(sender->options.arg, sender->first++, &slot->outcome);
		json_decref(slot->outcome.json);
		slot->outcome.json = NULL;
	}
}
