/* assignment.c - turns assigned partitions into lanes and takes revoked ones away */
#include "worker/kafka/assignment.h"

#include <stdlib.h>

#include "schemas/base/alloc.h"
#include "worker/lanes/fetch.h"

/* Returns the partitions' queues. Asking for a queue makes librdkafka know the partition; only known
 * partitions can be paused. */
static rd_kafka_queue_t **sources_of(rd_kafka_t *rk,
	const rd_kafka_topic_partition_list_t *partitions)
{
	rd_kafka_queue_t **sources = alloc_zero((size_t)partitions->cnt, sizeof(*sources));
	for (int i = 0; i < partitions->cnt; i++) {
		sources[i] = rd_kafka_queue_get_partition(rk, partitions->elems[i].topic,
			partitions->elems[i].partition);
		rd_kafka_queue_forward(sources[i], NULL);
	}
	return sources;
}

static void open_lanes(struct lanes *lanes, struct log *log,
	const rd_kafka_topic_partition_list_t *partitions, rd_kafka_queue_t *const *sources)
{
	for (int i = 0; i < partitions->cnt; i++) {
		const rd_kafka_topic_partition_t *p = &partitions->elems[i];
		lane_open_source(lanes, lanes_add(lanes, p->topic, p->partition), sources[i]);
		log_info(log, "partition assigned", LOG_STR("topic", p->topic),
			LOG_INT("partition", p->partition));
	}
}

static bool assign_paused(rd_kafka_t *rk, struct log *log,
	rd_kafka_topic_partition_list_t *partitions)
{
	/* A seek starts each partition where its lane's row says. Until then it stays paused, already
	 * when it is assigned: if librdkafka fetched from the offset given here and the log had lost
	 * that offset, the partition's fetcher would end, and no seek revives it. The offset is not a
	 * logical one: librdkafka looks those up, and an answer that the seek overtakes makes it fetch
	 * from there after all, past messages that must be read. */
	for (int i = 0; i < partitions->cnt; i++)
		partitions->elems[i].offset = 0;
	rd_kafka_pause_partitions(rk, partitions);
	rd_kafka_error_t *error = rd_kafka_incremental_assign(rk, partitions);
	if (!error)
		return true;
	log_error(log, "partitions can't be assigned",
		LOG_STR("error", rd_kafka_error_string(error)));
	rd_kafka_error_destroy(error);
	return false;
}

bool assignment_add(rd_kafka_t *rk, struct lanes *lanes, struct log *log,
	rd_kafka_topic_partition_list_t *partitions)
{
	rd_kafka_queue_t **sources = sources_of(rk, partitions);
	bool assigned = assign_paused(rk, log, partitions);
	if (assigned)
		open_lanes(lanes, log, partitions, sources);
	for (int i = 0; !assigned && i < partitions->cnt; i++)
		rd_kafka_queue_destroy(sources[i]);
	free(sources);
	return assigned;
}

static void close_lane(struct lanes *lanes, struct log *log, struct lane *lane, int64_t deadline)
{
	log_info(log, deadline ? "partition revoked" : "partition lost",
		LOG_STR("topic", lane->topic), LOG_INT("partition", lane->partition));
	lane_close_source(lane);
	lanes_revoke(lanes, lane, deadline);
}

void assignment_remove(rd_kafka_t *rk, struct lanes *lanes, struct log *log,
	const rd_kafka_topic_partition_list_t *partitions, int64_t deadline)
{
	struct lane *lane;
	for (int i = 0; i < partitions->cnt; i++) {
		lane = lanes_find(lanes, partitions->elems[i].topic,
			partitions->elems[i].partition);
		if (lane)
			lanes_revoking(lanes, lane);
	}
	for (int i = 0; i < partitions->cnt; i++) {
		lane = lanes_find(lanes, partitions->elems[i].topic,
			partitions->elems[i].partition);
		if (lane)
			close_lane(lanes, log, lane, deadline);
	}
	rd_kafka_error_t *error = rd_kafka_incremental_unassign(rk, partitions);
	if (error)
		rd_kafka_error_destroy(error); /* nothing was assigned any more */
}
