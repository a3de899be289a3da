/*
 * kafka.h - librdkafka for the benchmark programs: tuned for latency, broker from the environment; any
 * failure ends the program
 */
#ifndef KAFKA_H
#define KAFKA_H

#include <librdkafka/rdkafka.h>

/* linger_ms 0 sends at once. */
rd_kafka_t *kafka_producer(int linger_ms);

/* A consumer of all partitions of the topic, without a group. It reads the messages produced after this
 * call returns. */
rd_kafka_t *kafka_consumer(const char *topic);

/* The number of the topic's partitions. Waits for a new topic: brokers learn about it a moment after
 * their controller. */
int kafka_partitions(rd_kafka_t *client, const char *topic);

/* A header's value, as a pointer into the message, and its size; NULL if the header is absent. */
const char *kafka_header(const rd_kafka_message_t *message, const char *name, size_t *size);

#endif
