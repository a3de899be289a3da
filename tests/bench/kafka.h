/*
 * kafka.h - librdkafka as the benchmark programs use it: set for latency, broker from the
 * environment, any failure ends the program
 */
#ifndef KAFKA_H
#define KAFKA_H

#include <librdkafka/rdkafka.h>

/* linger_ms 0 sends at once. */
rd_kafka_t *kafka_producer(int linger_ms);

/* A consumer of all partitions of the topic from their present ends, without a group. It reads
 * what is produced after this returns. */
rd_kafka_t *kafka_consumer(const char *topic);

/* Number of the topic's partitions. A new topic is waited for: brokers hear of it a moment later
 * than their controller. */
int kafka_partitions(rd_kafka_t *client, const char *topic);

/* The value of a header as a pointer into the message and its size; NULL if there is none. */
const char *kafka_header(const rd_kafka_message_t *message, const char *name, size_t *size);

#endif
