/*
 * rights.c - asks brokers for authorized operations
 */
#include "worker/client/rights.h"

#include <string.h>

#define ASK_TIMEOUT_MS 10000

bool rights_include(const struct rights *rights, rd_kafka_AclOperation_t operation)
{
	return rights->operations & 1u << operation;
}

static void rights_read(struct rights *rights, const rd_kafka_AclOperation_t *list, size_t count)
{
	rights->known = list != NULL;
	rights->operations = 0;
	for (size_t i = 0; list && i < count; i++)
		rights->operations |= 1u << list[i];
}

/* A question, with the queue for its answer. */
struct rights_question {
	rd_kafka_AdminOptions_t *options;
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *event;
};

static struct rights_question rights_question_new(struct client *client, rd_kafka_admin_op_t op)
{
	struct rights_question question = {
		.options = rd_kafka_AdminOptions_new(client_handle(client), op),
		.queue = rd_kafka_queue_new(client_handle(client)),
	};
	char reason[256];

	rd_kafka_AdminOptions_set_request_timeout(question.options, ASK_TIMEOUT_MS, reason,
		sizeof(reason));
	rd_kafka_error_destroy(
		rd_kafka_AdminOptions_set_include_authorized_operations(question.options, 1));
	return question;
}

/* Returns false, with *error, if there is no answer. */
static bool rights_answered(struct rights_question *question, const char *what,
	struct client_error *error)
{
	question->event = rd_kafka_queue_poll(question->queue, ASK_TIMEOUT_MS + 1000);
	if (question->event && !rd_kafka_event_error(question->event))
		return true;
	client_error_set(error, NULL, "cannot ask for the rights on %s: %s", what,
		question->event ? rd_kafka_event_error_string(question->event)
				: "the broker did not answer");
	return false;
}

static void rights_question_free(struct rights_question *question)
{
	if (question->event)
		rd_kafka_event_destroy(question->event);
	rd_kafka_queue_destroy(question->queue);
	rd_kafka_AdminOptions_destroy(question->options);
}

static void read_topic_rights(const rd_kafka_TopicDescription_t *topic, const char *const *names,
	size_t count, struct rights *rights)
{
	const rd_kafka_error_t *failed = rd_kafka_TopicDescription_error(topic);
	size_t operations = 0;
	const rd_kafka_AclOperation_t *list = failed
		? NULL
		: rd_kafka_TopicDescription_authorized_operations(topic, &operations);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], rd_kafka_TopicDescription_name(topic)) != 0)
			continue;
		rights[i].error = failed ? rd_kafka_error_code(failed) : 0;
		rights_read(&rights[i], list, operations);
	}
}

bool rights_of_topics(struct client *client, const char *const *names, size_t count,
	struct rights *rights, struct client_error *error)
{
	struct rights_question question;
	rd_kafka_TopicCollection_t *topics;
	size_t answered = 0;
	bool ok;

	if (count == 0)
		return true;
	question = rights_question_new(client, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
	/* librdkafka only reads the names, but does not say so. */
	topics = rd_kafka_TopicCollection_of_topic_names((const char **)(void *)names, count);
	rd_kafka_DescribeTopics(client_handle(client), topics, question.options, question.queue);
	rd_kafka_TopicCollection_destroy(topics);
	ok = rights_answered(&question, "topics", error);
	if (ok) {
		const rd_kafka_TopicDescription_t **list = rd_kafka_DescribeTopics_result_topics(
			rd_kafka_event_DescribeTopics_result(question.event), &answered);

		for (size_t i = 0; i < answered; i++)
			read_topic_rights(list[i], names, count, rights);
	}
	rights_question_free(&question);
	return ok;
}

bool rights_of_group(struct client *client, const char *group, struct rights *rights,
	struct client_error *error)
{
	struct rights_question question = rights_question_new(client,
		RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
	size_t count = 0, operations = 0;
	bool ok;

	rd_kafka_DescribeConsumerGroups(client_handle(client), &group, 1, question.options,
		question.queue);
	ok = rights_answered(&question, "the group", error);
	if (ok) {
		const rd_kafka_ConsumerGroupDescription_t **list =
			rd_kafka_DescribeConsumerGroups_result_groups(
				rd_kafka_event_DescribeConsumerGroups_result(question.event),
				&count);
		const rd_kafka_error_t *failed = count
			? rd_kafka_ConsumerGroupDescription_error(list[0])
			: NULL;
		const rd_kafka_AclOperation_t *allowed = NULL;

		if (count && !failed)
			allowed = rd_kafka_ConsumerGroupDescription_authorized_operations(list[0],
				&operations);
		rights->error = failed ? rd_kafka_error_code(failed) : 0;
		rights_read(rights, allowed, operations);
	}
	rights_question_free(&question);
	return ok;
}

bool rights_of_cluster(struct client *client, struct rights *rights, struct client_error *error)
{
	struct rights_question question = rights_question_new(client,
		RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER);
	size_t operations = 0;
	bool ok;

	rd_kafka_DescribeCluster(client_handle(client), question.options, question.queue);
	ok = rights_answered(&question, "the cluster", error);
	if (ok)
		rights_read(rights,
			rd_kafka_DescribeCluster_result_authorized_operations(
				rd_kafka_event_DescribeCluster_result(question.event), &operations),
			operations);
	rights->error = RD_KAFKA_RESP_ERR_NO_ERROR;
	rights_question_free(&question);
	return ok;
}
