/*
 * assignment.h - partitions that the group assigns and revokes, as lanes
 *
 * Consumer's thread.
 */
#ifndef WORKER_KAFKA_ASSIGNMENT_H
#define WORKER_KAFKA_ASSIGNMENT_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/lanes/lanes.h"
#include "worker/telemetry/log.h"

/* Assigns the partitions and adds a lane for each. False after an error, which it logs. */
bool assignment_add(rd_kafka_t *rk, struct lanes *lanes, struct log *log,
	rd_kafka_topic_partition_list_t *partitions);

/* Revokes the partitions. Their batches, replies and rows settle until the deadline (clock_tick_ms;
 * 0: the partitions are lost, and nothing can settle). */
void assignment_remove(rd_kafka_t *rk, struct lanes *lanes, struct log *log,
	const rd_kafka_topic_partition_list_t *partitions, int64_t deadline);

#endif
