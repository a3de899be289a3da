/*
 * partition_look.h - what brokers say about partitions that executors claim: topic id, first offset, end
 *
 * The first executor that asks also asks for all other unclaimed lanes, and the other executors wait for
 * its answer. So a start with many partitions takes a few requests, not a few for each partition.
 *
 * Any thread.
 */
#ifndef WORKER_KAFKA_PARTITION_LOOK_H
#define WORKER_KAFKA_PARTITION_LOOK_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/kafka/topics.h"
#include "worker/lanes/lanes.h"

struct partition_look {
	char topic_id[TOPIC_ID_SIZE];
	int64_t low, high; /* first offset in the log; offset after the last committed message */
};

struct partition_looks;

/* Borrows the client and the lanes. */
struct partition_looks *partition_looks_new(rd_kafka_t *admin, struct lanes *lanes);
void partition_looks_free(struct partition_looks *looks);

/* Sets *look to an answer that is at most a few seconds old; `now`: that was asked for after the call.
 * Blocks. False: the topic or the partition has no answer at the moment, so ask again later. */
bool partition_look_at(struct partition_looks *looks, const struct lane *lane, bool now,
	struct partition_look *look) __attribute__((warn_unused_result));

#endif
