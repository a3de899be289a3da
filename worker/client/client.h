/*
 * client.h - the command line's own Kafka client
 *
 * A producer for commands and dead letters (idempotent, acks=all, keys placed as the Java and
 * Node clients place them), and readers that are assigned partitions by hand and join no group.
 * Nothing here creates a topic by accident: topics are looked up first.
 *
 * One thread. Errors are lines of text that name the broker's address.
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
	const char *hint;            /* what to do about it, static; NULL: no advice */
};

void client_error_set(struct client_error *error, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct client;

/* Told of each message that was produced: NULL, or why it is not in Kafka. */
typedef void client_delivered_fn(void *arg, const rd_kafka_message_t *message, const char *error);

struct client_options {
	int linger_ms;                  /* how long to gather messages before they are sent */
	int delivery_timeout_ms;        /* 0: librdkafka's default, five minutes */
	client_delivered_fn *delivered; /* may be NULL */
	void *arg;
};

/* Connects. On failure returns NULL and sets *error and the exit status: EXIT_CONFIG if librdkafka
 * refuses kafka.properties, EXIT_KAFKA if no broker answers within some seconds. */
struct client *client_new(const struct config *config, const struct client_options *options,
	int *status, struct client_error *error) __attribute__((warn_unused_result));
/* Does not wait for messages under way. */
void client_free(struct client *client);

rd_kafka_t *client_handle(const struct client *client);
struct topics *client_topics(const struct client *client);
/* The last thing a broker or librdkafka complained of; "" if nothing. */
const char *client_complaint(const struct client *client);

struct client_message {
	const char *topic;
	int32_t partition; /* RD_KAFKA_PARTITION_UA: by the key */
	const void *key;   /* NULL: none */
	size_t key_size;
	const void *value; /* NULL: a null value */
	size_t value_size;
	int64_t timestamp_ms;        /* 0: now */
	rd_kafka_headers_t *headers; /* taken in any case; may be NULL */
	void *opaque;                /* message->_private of `delivered` */
};

/* Copies the message and queues it, waiting while the queue is full. */
bool client_produce(struct client *client, const struct client_message *message,
	char error[CLIENT_ERROR_MAX]) __attribute__((warn_unused_result));
/* Serves `delivered` callbacks. */
void client_poll(struct client *client, int timeout_ms);
/* Waits until nothing is under way; returns how many messages still are. */
int client_flush(struct client *client, int timeout_ms);

/* A consumer without a group: assign partitions to it by rd_kafka_assign. Free it by
 * client_reader_free. It reads committed messages only and never makes a topic. */
rd_kafka_t *client_reader_new(const struct config *config, char error[CLIENT_ERROR_MAX])
	__attribute__((warn_unused_result));
void client_reader_free(rd_kafka_t *reader);

/* The offsets of a partition's first message and behind its last. */
bool client_watermarks(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t *low,
	int64_t *high, char error[CLIENT_ERROR_MAX]) __attribute__((warn_unused_result));

/* Assigns all partitions of the topic, each from its end. */
bool client_reader_from_end(rd_kafka_t *reader, const char *topic, int32_t partitions,
	char error[CLIENT_ERROR_MAX]) __attribute__((warn_unused_result));

#endif
