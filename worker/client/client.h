/*
 * client.h - the Kafka client of the command line
 *
 * A producer for commands and dead letters: idempotent, acks=all, with the partitioner of the Java
 * and Node clients. Readers are assigned partitions and join no group. Look a topic up before you
 * send to it: the broker could create it otherwise.
 *
 * One thread. An error is one line of text that names the broker's address.
 */
#ifndef WORKER_CLIENT_CLIENT_H
#define WORKER_CLIENT_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/config/config.h"
#include "worker/kafka/topics.h"

#define CLIENT_ERROR_MAX 512

/* Why an operation failed, for a person to read. */
struct client_error {
	char text[CLIENT_ERROR_MAX]; /* one line */
	const char *hint;            /* the solution, static; NULL: none */
};

void client_error_set(struct client_error *error, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct client;

/* The client calls this for each sent message. `error` is NULL if Kafka stored the message. */
typedef void client_delivered_fn(void *arg, const rd_kafka_message_t *message, const char *error);

struct client_options {
	int linger_ms;                  /* how long to collect messages for one request */
	int delivery_timeout_ms;        /* 0: librdkafka's default, five minutes */
	client_delivered_fn *delivered; /* may be NULL */
	void *arg;                      /* for `delivered` */
	const char *transactional_id;   /* NULL: no transactions; see kafka_transaction.h */
};

/* Connects. On failure returns NULL and sets *error and the exit status: EXIT_CONFIG if librdkafka
 * rejects kafka.properties, EXIT_KAFKA if no broker answers within about 10 s. */
struct client *client_new(const struct config *config, const struct client_options *options,
	int *status, struct client_error *error) __attribute__((warn_unused_result));
/* Drops messages that are not sent yet. NULL is no client. */
void client_free(struct client *client);

rd_kafka_t *client_handle(const struct client *client);
struct topics *client_topics(const struct client *client);
/* The last error of a broker or of librdkafka; "" if there was none. */
const char *client_complaint(const struct client *client);

struct client_message {
	const char *topic;
	int32_t partition; /* RD_KAFKA_PARTITION_UA: the key selects it */
	const void *key;   /* NULL: none */
	size_t key_size;
	const void *value; /* NULL: a null value */
	size_t value_size;
	int64_t timestamp_ms;        /* 0: now */
	rd_kafka_headers_t *headers; /* client_produce takes ownership; may be NULL */
	void *opaque;                /* becomes message->_private for `delivered` */
};

/* Copies the message and queues it. Blocks while the queue is full. */
bool client_produce(struct client *client, const struct client_message *message,
	char error[CLIENT_ERROR_MAX]) __attribute__((warn_unused_result));
/* Calls `delivered` for messages that Kafka has acknowledged or rejected. */
void client_poll(struct client *client, int timeout_ms);
/* Waits until all messages are delivered. Returns the number of messages that are not. */
int client_flush(struct client *client, int timeout_ms);

/* Creates a consumer without a group. Assign partitions with rd_kafka_assign, and free it with
 * client_reader_free. It reads only committed messages and never creates a topic. */
rd_kafka_t *client_reader_new(const struct config *config, char error[CLIENT_ERROR_MAX])
	__attribute__((warn_unused_result));
void client_reader_free(rd_kafka_t *reader);

/* Sets *low to the offset of the partition's first message and *high to the offset after its last
 * one. */
bool client_watermarks(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t *low,
	int64_t *high, char error[CLIENT_ERROR_MAX]) __attribute__((warn_unused_result));

/* Assigns one partition alone, starting at the offset; at the partition's first message if the log does not
 * have the offset. */
bool client_reader_from(rd_kafka_t *reader, const char *topic, int32_t partition, int64_t offset,
	char error[CLIENT_ERROR_MAX]) __attribute__((warn_unused_result));

/* Assigns all partitions of the topic, starting at their ends. */
bool client_reader_from_end(rd_kafka_t *reader, const char *topic, int32_t partitions,
	char error[CLIENT_ERROR_MAX]) __attribute__((warn_unused_result));

#endif
