/* log_bounds.c - asks brokers for first offsets and ends */
#include "worker/kafka/log_bounds.h"

#include <stdbool.h>

static void log_bounds_send(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, int64_t spec,
	int timeout_ms, rd_kafka_queue_t *queue)
{
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk,
		RD_KAFKA_ADMIN_OP_LISTOFFSETS);
	char reason[256];
	rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, reason, sizeof(reason));
	rd_kafka_error_destroy(rd_kafka_AdminOptions_set_isolation_level(options,
		RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED));
	for (int i = 0; i < list->cnt; i++) {
		list->elems[i].offset = spec;
		list->elems[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
	}
	rd_kafka_ListOffsets(rk, list, options, queue);
	for (int i = 0; i < list->cnt; i++)
		list->elems[i].err = RD_KAFKA_RESP_ERR__TIMED_OUT; /* until answered */
	rd_kafka_AdminOptions_destroy(options);
}

static void log_bounds_read(rd_kafka_event_t *event, rd_kafka_topic_partition_list_t *list)
{
	const rd_kafka_ListOffsets_result_t *result = event
		? rd_kafka_event_ListOffsets_result(event)
		: NULL;
	size_t count = 0;
	const rd_kafka_ListOffsetsResultInfo_t **infos = result
		? rd_kafka_ListOffsets_result_infos(result, &count)
		: NULL;
	for (size_t i = 0; i < count; i++) {
		const rd_kafka_topic_partition_t *p =
			rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
		rd_kafka_topic_partition_t *mine = rd_kafka_topic_partition_list_find(list,
			p->topic, p->partition);
		if (!mine)
			continue;
		mine->offset = p->offset;
		mine->err = p->err || p->offset >= 0 ? p->err : RD_KAFKA_RESP_ERR__FAIL;
	}
}

/* A question under way. */
struct bounds_question {
	rd_kafka_topic_partition_list_t *list; /* NULL: none */
	rd_kafka_queue_t *queue;
};

static struct bounds_question question_start(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
	int64_t spec, int timeout_ms)
{
	struct bounds_question question = { 0 };
	if (!list || list->cnt == 0)
		return question;
	question.list = list;
	question.queue = rd_kafka_queue_new(rk);
	log_bounds_send(rk, list, spec, timeout_ms, question.queue);
	return question;
}

static void question_end(struct bounds_question *question, int timeout_ms)
{
	if (!question->list)
		return;
	rd_kafka_event_t *event = rd_kafka_queue_poll(question->queue, timeout_ms);
	log_bounds_read(event, question->list);
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(question->queue);
}

void log_bounds_ask(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *first,
	rd_kafka_topic_partition_list_t *ends, int timeout_ms)
{
	struct bounds_question low = question_start(rk, first, RD_KAFKA_OFFSET_SPEC_EARLIEST,
		timeout_ms);
	struct bounds_question high = question_start(rk, ends, RD_KAFKA_OFFSET_SPEC_LATEST,
		timeout_ms);
	question_end(&low, timeout_ms + 1000);
	question_end(&high, timeout_ms + 1000);
}
