/*
 * log_bounds.h - the first offsets and the ends of many partitions, in one request to each broker
 *
 * The end is where a reader of committed messages ends. Blocking. Any thread.
 */
#ifndef WORKER_KAFKA_LOG_BOUNDS_H
#define WORKER_KAFKA_LOG_BOUNDS_H

#include <librdkafka/rdkafka.h>

/* Sets each partition's offset in `first` and in `ends`, and its err if its broker does not answer.
 * Either list may be NULL. Call it for partitions that have a leader: librdkafka waits for all leaders
 * before it asks. */
void log_bounds_ask(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *first,
	rd_kafka_topic_partition_list_t *ends, int timeout_ms);

#endif
