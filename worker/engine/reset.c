/* reset.c - looks up the ends of all topics that the group reads, and records them */
#include "worker/engine/reset.h"

#include <stdlib.h>
#include <string.h>

#include "db/state/reset_rows.h"
#include "schemas/base/alloc.h"
#include "worker/kafka/log_bounds.h"
#include "worker/kafka/topic_ids.h"
#include "worker/kafka/topic_match.h"

#define ASK_MS 10000

/* What the group reads now. */
struct reset {
	const struct engine *engine;
	const char **topics; /* borrowed from `ends` */
	size_t topic_count;
	const char **named; /* borrowed from the configuration */
	size_t named_count;
	rd_kafka_topic_partition_list_t *ends;
	struct reset_row *rows;
	size_t row_count;
};

static void reset_free(struct reset *reset)
{
	for (size_t i = 0; i < reset->row_count; i++)
		free((char *)(void *)reset->rows[i].topic_id);
	free(reset->rows);
	free(reset->topics);
	free(reset->named);
	rd_kafka_topic_partition_list_destroy(reset->ends);
}

static void reset_find_named(struct reset *reset)
{
	const struct config_list *topics = &reset->engine->config->kafka.topics;
	reset->named = alloc_zero(topics->count + 1, sizeof(*reset->named));
	for (size_t i = 0; i < topics->count; i++)
		if (topics->items[i][0] != '^')
			reset->named[reset->named_count++] = topics->items[i];
}

/* Returns false if no broker answers, or a partition has no leader. */
static bool reset_find_partitions(struct reset *reset)
{
	const struct rd_kafka_metadata *metadata;
	bool complete = true;
	if (rd_kafka_metadata(reset->engine->admin, 1, NULL, &metadata, ASK_MS))
		return false;
	for (int i = 0; i < metadata->topic_cnt; i++) {
		const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
		if (!topic_match_command(reset->engine->config, topic->topic))
			continue;
		for (int p = 0; p < topic->partition_cnt; p++) {
			complete = complete && topic->partitions[p].leader >= 0;
			rd_kafka_topic_partition_list_add(reset->ends, topic->topic,
				topic->partitions[p].id);
		}
	}
	rd_kafka_metadata_destroy(metadata);
	if (complete)
		log_bounds_ask(reset->engine->admin, NULL, reset->ends, ASK_MS);
	for (int i = 0; i < reset->ends->cnt; i++)
		complete = complete && !reset->ends->elems[i].err;
	return complete;
}

static void reset_list_topics(struct reset *reset)
{
	const rd_kafka_topic_partition_list_t *ends = reset->ends;
	reset->topics = alloc_zero((size_t)ends->cnt + 1, sizeof(*reset->topics));
	rd_kafka_topic_partition_list_sort(reset->ends, NULL, NULL);
	for (int i = 0; i < ends->cnt; i++)
		if (reset->topic_count == 0 ||
			strcmp(reset->topics[reset->topic_count - 1], ends->elems[i].topic) != 0)
			reset->topics[reset->topic_count++] = ends->elems[i].topic;
}

static void reset_add_rows(void *arg, const struct topic_id *topic)
{
	struct reset *reset = arg;
	for (int i = 0; i < reset->ends->cnt && !topic->error; i++) {
		const rd_kafka_topic_partition_t *p = &reset->ends->elems[i];
		if (strcmp(p->topic, topic->topic) == 0)
			reset->rows[reset->row_count++] = (struct reset_row){ p->topic,
				p->partition, alloc_copy(topic->id), p->offset };
	}
}

/* Returns false if no broker answers for a topic. */
static bool reset_find_ids(struct reset *reset)
{
	reset->rows = alloc_zero((size_t)reset->ends->cnt + 1, sizeof(*reset->rows));
	if (reset->topic_count == 0)
		return true;
	return topic_ids_get(reset->engine->admin, reset->topics, reset->topic_count, ASK_MS,
		       reset_add_rows, reset) &&
		reset->row_count == (size_t)reset->ends->cnt;
}

enum reset_end reset_record(const struct engine *engine, struct connection *connection,
	const struct lane_table *table, struct db_failure *failure)
{
	struct reset reset = { .engine = engine, .ends = rd_kafka_topic_partition_list_new(64) };
	enum reset_end end = RESET_KAFKA;
	reset_find_named(&reset);
	if (reset_find_partitions(&reset)) {
		reset_list_topics(&reset);
		if (reset_find_ids(&reset)) {
			const struct reset_rows rows = { reset.topics, reset.topic_count,
				reset.named, reset.named_count, reset.rows, reset.row_count };
			end = reset_rows_meet(connection, table, &rows, failure) == DB_OK
				? RESET_RECORDED
				: RESET_DATABASE;
		}
	}
	reset_free(&reset);
	return end;
}

void reset_record_at_start(const struct engine *engine)
{
	struct db_failure failure;
	if (strcmp(engine->config->kafka.offset_reset, "latest") != 0)
		return;
	const struct lane_table table = { .schema = engine->config->postgres.schema_name,
		.group = engine->config->kafka.group_id,
		.params = params_new() };
	struct connection *connection = connection_new(&engine->connection);
	if (connection_open(connection, &failure) &&
		reset_record(engine, connection, &table, &failure) != RESET_RECORDED)
		log_debug(engine->log, "kafka.offsetReset: the ends of the topics come later");
	connection_free(connection);
	params_free(table.params);
}
