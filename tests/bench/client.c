/*
 * client - the benchmark's load client
 *
 *   client create TOPIC --partitions P       make a topic
 *   client delete TOPIC                      ... and remove it
 *   client fill TOPIC --kind K --count N [--first I]
 *                                            produce N commands that want no reply
 *   client ask TOPIC --kind K --count N --reply-topic R [--in-flight W] [--warm-up N] [--for-ms T]
 *                                            request and reply, W at once, no new ones after T
 *   also: --threads 200 (of the workload), --schemas DIR (of `stowage schemas --output`)
 *
 * Kinds: saveMessages (one message a command), saveThread, getThreadById, createSpan. A command's
 * key is its thread or trace, its partition that one's number modulo the partitions, so that all
 * get their share.
 *
 * `ask` prints median, 99th percentile and the answers a second, measured from the first request
 * after the warm-up to the last reply. Every reply has to be there, once, with status ok (or no
 * status, as an echo's) and hold the thread that was asked for. Values are encoded beforehand.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "encode.h"
#include "kafka.h"
#include "workload.h"
#include "workload_spans.h"

#define TIMEOUT_MS 60000

struct value {
	void *bytes;
	size_t size;
	char thread_id[32];
};

struct load {
	const char *kind;
	bool spans;
	unsigned threads;
	struct encoder *encoder;
};

/* A command, and where it goes; its key lies in the workload's message or span. */
struct command {
	struct workload_message message;
	struct workload_span span;
	const char *key;
	uint64_t place; /* its partition, modulo their number */
	const void *value;
	size_t size;
};

static struct load load_open(int argc, char **argv)
{
	struct load load = { .kind = option(argc, argv, "kind", NULL),
		.threads = (unsigned)option_number(argc, argv, "threads", 200) };
	char command[64];

	load.spans = strcmp(load.kind, "createSpan") == 0;
	snprintf(command, sizeof command, "%s.%s", load.spans ? "observability" : "memory", load.kind);
	load.encoder = encoder_open(option(argc, argv, "schemas", NULL), command);
	return load;
}

static json_t *make_request(const struct load *load, const struct workload_message *message)
{
	json_int_t created = message->created_ms;

	if (strcmp(load->kind, "saveMessages") == 0)
		return json_pack("{s:[{s:s, s:s, s:s, s:s, s:s, s:s, s:I}]}", "messages", "id", message->id,
			"threadId", message->thread_id, "resourceId", message->resource_id, "role", "user",
			"type", "v2", "content", message->content, "createdAt", created);
	if (strcmp(load->kind, "saveThread") == 0)
		return json_pack("{s:{s:s, s:s, s:s, s:I, s:I, s:s}}", "thread", "id", message->thread_id,
			"resourceId", message->resource_id, "title", "A thread of the benchmark", "createdAt", created,
			"updatedAt", created, "metadata", "{\"source\":\"bench\"}");
	if (strcmp(load->kind, "getThreadById") == 0)
		return json_pack("{s:s}", "threadId", message->thread_id);
	die("there is no kind '%s'", load->kind);
}

static json_t *make_value(const struct workload_value *value)
{
	switch (value->kind) {
	case WORKLOAD_BOOL:
		return json_boolean(value->number);
	case WORKLOAD_TIME:
		return json_integer(value->number);
	case WORKLOAD_TEXTS:
		return value->text == NULL ? json_null() : json_loadb(value->text, value->size, 0, NULL);
	default:
		return value->text == NULL ? json_null() : json_stringn(value->text, value->size);
	}
}

static json_t *make_span_request(const struct workload_span *span)
{
	json_t *record = json_object();

	for (size_t i = 0; i < WORKLOAD_SPAN_VALUES; i++)
		json_object_set_new(record, span->values[i].name, make_value(&span->values[i]));
	return json_pack("{s:o}", "span", record);
}

/* The value lies there until the next one is made. */
static void make_command(const struct load *load, uint64_t i, struct command *command)
{
	json_t *request;

	if (load->spans) {
		workload_span(&command->span, i);
		command->key = command->span.trace_id;
		command->place = command->span.trace;
		request = make_span_request(&command->span);
	} else {
		workload_message(&command->message, i, load->threads);
		command->key = command->message.thread_id;
		command->place = i % load->threads;
		request = make_request(load, &command->message);
	}
	if (request == NULL)
		die("out of memory");
	command->size = encoder_encode(load->encoder, request, &command->value);
	json_decref(request);
}

static void produce(rd_kafka_t *producer, const char *topic, int partitions, const struct command *command)
{
	rd_kafka_resp_err_t status;

	while ((status = rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic),
			RD_KAFKA_V_PARTITION((int32_t)(command->place % (uint64_t)partitions)),
			RD_KAFKA_V_KEY(command->key, strlen(command->key)),
			RD_KAFKA_V_VALUE((void *)command->value, command->size),
			RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		rd_kafka_poll(producer, 10);
	if (status != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("produce: %s", rd_kafka_err2str(status));
}

static int fill(const char *topic, int argc, char **argv)
{
	struct load load = load_open(argc, argv);
	uint64_t first = (uint64_t)option_number(argc, argv, "first", 0);
	uint64_t count = (uint64_t)option_number(argc, argv, "count", 0);
	rd_kafka_t *producer = kafka_producer(5);
	int partitions = kafka_partitions(producer, topic);
	struct command command;

	for (uint64_t i = first; i < first + count; i++) {
		make_command(&load, i, &command);
		produce(producer, topic, partitions, &command);
		if (i % 1024 == 0)
			rd_kafka_poll(producer, 0);
	}
	if (rd_kafka_flush(producer, TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("flush: not all were taken");
	rd_kafka_destroy(producer);
	encoder_close(load.encoder);
	printf("{\"count\": %llu}\n", (unsigned long long)count);
	return 0;
}

struct asker {
	rd_kafka_t *producer, *consumer;
	const char *topic, *reply_topic;
	int partitions;
	struct value *values; /* one a thread */
	unsigned threads;
	int64_t *sent, *took; /* by request; took 0: no reply yet */
};

static void send_request(struct asker *asker, uint64_t i)
{
	const struct value *value = &asker->values[i % asker->threads];
	char id[24];
	int id_size = snprintf(id, sizeof id, "%llu", (unsigned long long)i);

	asker->sent[i] = now_ns();
	rd_kafka_resp_err_t status = rd_kafka_producev(asker->producer, RD_KAFKA_V_TOPIC(asker->topic),
		RD_KAFKA_V_PARTITION((int32_t)(i % asker->threads) % asker->partitions),
		RD_KAFKA_V_KEY(value->thread_id, strlen(value->thread_id)),
		RD_KAFKA_V_VALUE(value->bytes, value->size), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		RD_KAFKA_V_HEADER("reply-to", asker->reply_topic, strlen(asker->reply_topic)),
		RD_KAFKA_V_HEADER("correlation-id", id, (size_t)id_size), RD_KAFKA_V_END);
	if (status != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("produce: %s", rd_kafka_err2str(status));
}

/* Takes one reply; returns its request's number. */
static uint64_t take_reply(struct asker *asker, uint64_t sent)
{
	rd_kafka_message_t *reply = rd_kafka_consumer_poll(asker->consumer, TIMEOUT_MS);
	size_t size;

	if (reply == NULL)
		die("no reply within %d s", TIMEOUT_MS / 1000);
	int64_t now = now_ns();
	if (reply->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("consume: %s", rd_kafka_message_errstr(reply));

	const char *status = kafka_header(reply, "status", &size);
	if (status != NULL && (size != 2 || memcmp(status, "ok", 2) != 0))
		die("a reply with status %.*s: %.*s", (int)size, status, (int)reply->len, (char *)reply->payload);
	const char *id = kafka_header(reply, "correlation-id", &size);
	uint64_t i = id == NULL ? sent : strtoull(id, NULL, 10);
	if (i >= sent || asker->took[i] != 0)
		die("a reply that nothing waits for, or the second for one request");
	const char *thread_id = asker->values[i % asker->threads].thread_id;
	if (memmem(reply->payload, reply->len, thread_id, strlen(thread_id)) == NULL)
		die("a reply without the thread that was asked for");
	asker->took[i] = now - asker->sent[i];
	rd_kafka_message_destroy(reply);
	rd_kafka_poll(asker->producer, 0);
	return i;
}

/* Requests first..end-1, up to in_flight at once, none after `until`. Returns the one behind the last. */
static uint64_t ask_range(struct asker *asker, uint64_t first, uint64_t end, uint64_t in_flight, int64_t until)
{
	uint64_t sent = first;

	for (uint64_t answered = first; answered < end; answered++) {
		while (sent < end && sent - answered < in_flight && now_ns() < until)
			send_request(asker, sent++);
		if (answered == sent)
			break;
		take_reply(asker, sent);
	}
	return sent;
}

static struct value *make_values(const struct load *load)
{
	struct value *values = calloc(load->threads, sizeof *values);
	struct command command;

	for (unsigned i = 0; i < load->threads; i++) {
		make_command(load, i, &command);
		values[i].size = command.size;
		values[i].bytes = malloc(command.size);
		memcpy(values[i].bytes, command.value, command.size);
		memcpy(values[i].thread_id, command.message.thread_id, sizeof command.message.thread_id);
	}
	return values;
}

static int ask(const char *topic, int argc, char **argv)
{
	struct load load = load_open(argc, argv);
	uint64_t warm_up = (uint64_t)option_number(argc, argv, "warm-up", 0);
	uint64_t count = (uint64_t)option_number(argc, argv, "count", 0);
	uint64_t in_flight = (uint64_t)option_number(argc, argv, "in-flight", 1);
	int64_t for_ms = option_number(argc, argv, "for-ms", INT32_MAX);
	struct asker asker = { .topic = topic, .reply_topic = option(argc, argv, "reply-topic", NULL),
		.threads = load.threads };

	asker.producer = kafka_producer(0);
	asker.consumer = kafka_consumer(asker.reply_topic);
	asker.partitions = kafka_partitions(asker.producer, topic);
	asker.values = make_values(&load);
	asker.sent = calloc(warm_up + count, sizeof *asker.sent);
	asker.took = calloc(warm_up + count, sizeof *asker.took);

	ask_range(&asker, 0, warm_up, in_flight, INT64_MAX);
	int64_t start = now_ns();
	count = ask_range(&asker, warm_up, warm_up + count, in_flight, start + for_ms * 1000000) - warm_up;
	double seconds = (double)(now_ns() - start) / 1e9;

	int64_t *samples = asker.took + warm_up;
	samples_sort(samples, count);
	printf("{\"count\": %llu, \"in_flight\": %llu, \"min_us\": %.0f, \"median_us\": %.0f, \"p99_us\": %.0f, "
	       "\"rate\": %.0f}\n",
		(unsigned long long)count, (unsigned long long)in_flight, (double)samples[0] / 1e3,
		(double)samples_at(samples, count, 50) / 1e3, (double)samples_at(samples, count, 99) / 1e3,
		(double)count / seconds);
	rd_kafka_destroy(asker.producer);
	rd_kafka_destroy(asker.consumer);
	return 0;
}

/* Waits for the one result of an admin operation. */
static void admin_wait(rd_kafka_queue_t *queue)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
	const rd_kafka_topic_result_t **results;
	size_t count;

	if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("topic: %s", event == NULL ? "no answer" : rd_kafka_event_error_string(event));
	if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATETOPICS_RESULT)
		results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
	else
		results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
	for (size_t i = 0; i < count; i++) {
		if (rd_kafka_topic_result_error(results[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
			die("topic: %s", rd_kafka_topic_result_error_string(results[i]));
	}
	rd_kafka_event_destroy(event);
}

static int create_topic(const char *topic, int argc, char **argv)
{
	char error[256];
	rd_kafka_t *client = kafka_producer(0);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
	int partitions = (int)option_number(argc, argv, "partitions", 1);
	rd_kafka_NewTopic_t *new_topic = rd_kafka_NewTopic_new(topic, partitions, 1, error, sizeof error);

	if (new_topic == NULL)
		die("%s", error);
	rd_kafka_CreateTopics(client, &new_topic, 1, NULL, queue);
	admin_wait(queue);
	kafka_partitions(client, topic);
	rd_kafka_NewTopic_destroy(new_topic);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(client);
	return 0;
}

static int delete_topic(const char *topic)
{
	rd_kafka_t *client = kafka_producer(0);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
	rd_kafka_DeleteTopic_t *old_topic = rd_kafka_DeleteTopic_new(topic);

	rd_kafka_DeleteTopics(client, &old_topic, 1, NULL, queue);
	admin_wait(queue);
	rd_kafka_DeleteTopic_destroy(old_topic);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(client);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		die("usage: client create|delete|fill|ask TOPIC [OPTION VALUE]...");
	if (strcmp(argv[1], "create") == 0)
		return create_topic(argv[2], argc, argv);
	if (strcmp(argv[1], "delete") == 0)
		return delete_topic(argv[2]);
	if (strcmp(argv[1], "fill") == 0)
		return fill(argv[2], argc, argv);
	if (strcmp(argv[1], "ask") == 0)
		return ask(argv[2], argc, argv);
	die("there is no '%s'", argv[1]);
}
