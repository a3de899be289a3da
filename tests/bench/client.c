/*
 * client.c - the benchmark's load client
 *
 *   client create TOPIC --partitions P       create a topic
 *   client delete TOPIC                      delete a topic
 *   client fill TOPIC --kind K --count N [--first I]
 *                                            produce N commands without reply-to
 *   client ask TOPIC --kind K --count N --reply-topic R [--in-flight W] [--warm-up N] [--for-ms T]
 *                                            send requests and read replies, W in flight, none after T ms
 *   client vectors FILE --count N --first I --dimensions D
 *                                            write vectors of the workload as raw floats
 *   also: --threads 200 (threads of the workload; `ask` has as many distinct commands), --schemas DIR
 *   (the output of `stowage schemas --output`). For vectors: --index NAME, --dimensions D, --vectors N
 *   (stored vectors; queries use the vectors after these), and for `ask` with one request in flight
 *   --found FILE (gets a line with the found ids for each reply after the warm-up)
 *
 *   For `fill` with spans: --live N (traces take turns, N at a time; 1), --tenants N with --tenant PREFIX
 *   (each trace belongs to a random one of N schemas, PREFIX0, PREFIX1, ...)
 *
 * Kinds: saveMessages (one message a command), saveThread, getThreadById, getByIdResolved (agents),
 * batchInsertItems (a hundred items a command), addExperimentResult, createSpan, upsert (a hundred vectors
 * a command), query. A command's key is its thread, trace or vector. Its partition is
 * the key's number, or its own number, modulo the number of partitions, so that all get their share.
 *
 * `ask` prints the median, the 99th percentile and the replies per second, measured from the first
 * request after the warm-up to the last reply. Each request must get exactly one reply with status ok
 * (an echo has no status) and the expected content. `ask` encodes all values in advance.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "kafka.h"
#include "load.h"
#include "workload_vectors.h"

#define TIMEOUT_MS 60000
/* A Node worker answers a whole fetch at once, and may take seconds for each reply. */
#define REPLY_TIMEOUT_MS 600000

static rd_kafka_resp_err_t produce_once(rd_kafka_t *producer, const char *topic, int32_t partition,
	const struct command *command)
{
	const char *schema = command->schema;

	if (*schema == '\0')
		return rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic),
			RD_KAFKA_V_PARTITION(partition),
			RD_KAFKA_V_KEY(command->key, strlen(command->key)),
			RD_KAFKA_V_VALUE((void *)command->value, command->size),
			RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
	return rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
		RD_KAFKA_V_KEY(command->key, strlen(command->key)),
		RD_KAFKA_V_VALUE((void *)command->value, command->size),
		RD_KAFKA_V_HEADER("schema-name", schema, strlen(schema)),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
}

static void produce(rd_kafka_t *producer, const char *topic, int partitions,
	const struct command *command)
{
	int32_t partition = (int32_t)(command->place % (uint64_t)partitions);
	rd_kafka_resp_err_t status;

	while ((status = produce_once(producer, topic, partition, command)) ==
		RD_KAFKA_RESP_ERR__QUEUE_FULL)
		rd_kafka_poll(producer, 10);
	if (status != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("produce: %s", rd_kafka_err2str(status));
}

static int fill(const char *topic, int argc, char **argv)
{
	struct load *load = load_open(argc, argv);
	uint64_t first = (uint64_t)option_number(argc, argv, "first", 0);
	uint64_t count = (uint64_t)option_number(argc, argv, "count", 0);
	rd_kafka_t *producer = kafka_producer(5);
	int partitions = kafka_partitions(producer, topic);
	struct command command;

	for (uint64_t i = first; i < first + count; i++) {
		load_command(load, i, &command);
		produce(producer, topic, partitions, &command);
		if (i % 1024 == 0)
			rd_kafka_poll(producer, 0);
	}
	if (rd_kafka_flush(producer, TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("flush: not all were taken");
	rd_kafka_destroy(producer);
	load_close(load);
	printf("{\"count\": %llu}\n", (unsigned long long)count);
	return 0;
}

struct asker {
	rd_kafka_t *producer, *consumer;
	const char *topic, *reply_topic;
	int partitions;
	const struct load *load;
	struct command *commands;
	unsigned distinct;    /* number of distinct commands */
	FILE *found;          /* NULL: do not write the found ids */
	int64_t *sent, *took; /* by request; took is 0 until the reply arrives */
};

static void send_request(struct asker *asker, uint64_t i)
{
	const struct command *command = &asker->commands[i % asker->distinct];
	char id[24];
	int id_size = snprintf(id, sizeof id, "%llu", (unsigned long long)i);

	asker->sent[i] = now_ns();
	rd_kafka_resp_err_t status = rd_kafka_producev(asker->producer,
		RD_KAFKA_V_TOPIC(asker->topic),
		RD_KAFKA_V_PARTITION((int32_t)(i % asker->distinct) % asker->partitions),
		RD_KAFKA_V_KEY(command->key, strlen(command->key)),
		RD_KAFKA_V_VALUE((void *)command->value, command->size),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		RD_KAFKA_V_HEADER("reply-to", asker->reply_topic, strlen(asker->reply_topic)),
		RD_KAFKA_V_HEADER("correlation-id", id, (size_t)id_size), RD_KAFKA_V_END);
	if (status != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("produce: %s", rd_kafka_err2str(status));
}

static void write_found(FILE *file, const rd_kafka_message_t *reply)
{
	const char *ids[WORKLOAD_VECTORS_TOP_K];
	size_t count = load_found(reply->payload, reply->len, ids);

	for (size_t i = 0; i < count; i++)
		fprintf(file, "%.*s%c", WORKLOAD_VECTOR_ID_SIZE, ids[i],
			i + 1 == count ? '\n' : ' ');
}

/* Checks one reply; returns its request's number. */
static uint64_t take_reply(struct asker *asker, uint64_t sent)
{
	rd_kafka_message_t *reply = rd_kafka_consumer_poll(asker->consumer, REPLY_TIMEOUT_MS);
	size_t size;

	if (reply == NULL)
		die("no reply within %d s", REPLY_TIMEOUT_MS / 1000);
	int64_t now = now_ns();
	if (reply->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("consume: %s", rd_kafka_message_errstr(reply));

	const char *status = kafka_header(reply, "status", &size);
	if (status != NULL && (size != 2 || memcmp(status, "ok", 2) != 0))
		die("a reply with status %.*s: %.*s", (int)size, status, (int)reply->len,
			(char *)reply->payload);
	const char *id = kafka_header(reply, "correlation-id", &size);
	uint64_t i = id == NULL ? sent : strtoull(id, NULL, 10);
	if (i >= sent || asker->took[i] != 0)
		die("a reply that nothing waits for, or the second for one request");
	if (!load_answers(asker->load, &asker->commands[i % asker->distinct], reply->payload,
		    reply->len, status == NULL))
		die("a reply without what was asked for");
	asker->took[i] = now - asker->sent[i];
	if (asker->found != NULL)
		write_found(asker->found, reply);
	rd_kafka_message_destroy(reply);
	rd_kafka_poll(asker->producer, 0);
	return i;
}

/* Sends requests first..end-1, up to in_flight at once, none after `until`. Returns the number after the
 * last request sent. */
static uint64_t ask_range(struct asker *asker, uint64_t first, uint64_t end, uint64_t in_flight,
	int64_t until)
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

static struct command *make_commands(struct load *load)
{
	unsigned count = load_distinct(load);
	struct command *commands = calloc(count, sizeof *commands);

	for (unsigned i = 0; i < count; i++) {
		load_command(load, i, &commands[i]);
		void *copy = malloc(commands[i].size);
		memcpy(copy, commands[i].value, commands[i].size);
		commands[i].value = copy;
	}
	return commands;
}

static FILE *create_file(const char *path)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		die("%s: %m", path);
	return file;
}

static void close_file(FILE *file, const char *path)
{
	if (ferror(file) || fclose(file) != 0)
		die("%s: %m", path);
}

static int ask(const char *topic, int argc, char **argv)
{
	struct load *load = load_open(argc, argv);
	const char *found = option(argc, argv, "found", "");
	uint64_t warm_up = (uint64_t)option_number(argc, argv, "warm-up", 0);
	uint64_t count = (uint64_t)option_number(argc, argv, "count", 0);
	uint64_t in_flight = (uint64_t)option_number(argc, argv, "in-flight", 1);
	int64_t for_ms = option_number(argc, argv, "for-ms", INT32_MAX);
	struct asker asker = { .topic = topic,
		.reply_topic = option(argc, argv, "reply-topic", NULL),
		.load = load,
		.distinct = load_distinct(load) };

	asker.producer = kafka_producer(0);
	asker.consumer = kafka_consumer(asker.reply_topic);
	asker.partitions = kafka_partitions(asker.producer, topic);
	asker.commands = make_commands(load);
	asker.sent = calloc(warm_up + count, sizeof *asker.sent);
	asker.took = calloc(warm_up + count, sizeof *asker.took);

	ask_range(&asker, 0, warm_up, in_flight, INT64_MAX);
	if (*found != '\0')
		asker.found = create_file(found);
	int64_t start = now_ns();
	count = ask_range(&asker, warm_up, warm_up + count, in_flight, start + for_ms * 1000000) -
		warm_up;
	double seconds = (double)(now_ns() - start) / 1e9;
	if (asker.found != NULL)
		close_file(asker.found, found);

	int64_t *samples = asker.took + warm_up;
	samples_sort(samples, count);
	printf("{\"count\": %llu, \"in_flight\": %llu, \"min_us\": %.0f, \"median_us\": %.0f, \"p99_us\": %.0f, "
	       "\"rate\": %.0f}\n",
		(unsigned long long)count, (unsigned long long)in_flight, (double)samples[0] / 1e3,
		(double)samples_at(samples, count, 50) / 1e3,
		(double)samples_at(samples, count, 99) / 1e3, (double)count / seconds);
	rd_kafka_destroy(asker.producer);
	rd_kafka_destroy(asker.consumer);
	return 0;
}

static int write_vectors(const char *path, int argc, char **argv)
{
	unsigned dimensions = (unsigned)option_number(argc, argv, "dimensions", 0);
	uint64_t first = (uint64_t)option_number(argc, argv, "first", 0);
	uint64_t count = (uint64_t)option_number(argc, argv, "count", 0);
	struct workload_vectors *vectors = workload_vectors_open(dimensions);
	float *floats = calloc(dimensions, sizeof *floats);
	FILE *file = create_file(path);

	for (uint64_t i = first; i < first + count; i++) {
		workload_vector(vectors, i, floats);
		fwrite(floats, sizeof *floats, dimensions, file);
	}
	close_file(file, path);
	free(floats);
	workload_vectors_close(vectors);
	return 0;
}

/* Waits for the result of an admin operation. */
static void admin_wait(rd_kafka_queue_t *queue)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
	const rd_kafka_topic_result_t **results;
	size_t count;

	if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("topic: %s", event == NULL ? "no answer" : rd_kafka_event_error_string(event));
	if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATETOPICS_RESULT)
		results = rd_kafka_CreateTopics_result_topics(
			rd_kafka_event_CreateTopics_result(event), &count);
	else
		results = rd_kafka_DeleteTopics_result_topics(
			rd_kafka_event_DeleteTopics_result(event), &count);
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
	rd_kafka_NewTopic_t *new_topic = rd_kafka_NewTopic_new(topic, partitions, 1, error,
		sizeof error);

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
		die("usage: client create|delete|fill|ask|vectors TOPIC|FILE [OPTION VALUE]...");
	if (strcmp(argv[1], "create") == 0)
		return create_topic(argv[2], argc, argv);
	if (strcmp(argv[1], "delete") == 0)
		return delete_topic(argv[2]);
	if (strcmp(argv[1], "fill") == 0)
		return fill(argv[2], argc, argv);
	if (strcmp(argv[1], "ask") == 0)
		return ask(argv[2], argc, argv);
	if (strcmp(argv[1], "vectors") == 0)
		return write_vectors(argv[2], argc, argv);
	die("there is no '%s'", argv[1]);
}
