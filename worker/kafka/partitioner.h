/*
 * partitioner.h - which partition a message with a key goes to
 *
 * librdkafka asks for the partition when it takes a message, and tells how many there are; the producer
 * keeps that number to gather messages by partition. kafka.properties may choose one of librdkafka's
 * partitioners; the default places keys like the Java client.
 */
#ifndef WORKER_KAFKA_PARTITIONER_H
#define WORKER_KAFKA_PARTITIONER_H

#include <librdkafka/rdkafka.h>

typedef int32_t partitioner_fn(const rd_kafka_topic_t *topic, const void *key, size_t size,
	int32_t partitions, void *topic_opaque, void *message_opaque);

struct partitioner {
	partitioner_fn *choose;
	/* For a key of at least one byte, with NULL for topic and opaques; NULL: it is random. */
	partitioner_fn *by_key;
};

/* Uses the partitioner that the configuration names. `partitioner` must outlive the client, and each
 * message's opaque must be a struct sent. */
void partitioner_set(struct partitioner *partitioner, rd_kafka_conf_t *conf);

#endif
