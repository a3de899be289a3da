/*
 * group.c - asks brokers for the members of a consumer group
 */
#include "worker/client/group.h"

#define ASK_TIMEOUT_MS 10000

static bool group_read(rd_kafka_event_t *event, size_t *count, struct client_error *error)
{
	const rd_kafka_DescribeConsumerGroups_result_t *result = event
		? rd_kafka_event_DescribeConsumerGroups_result(event)
		: NULL;
	size_t groups = 0;
	const rd_kafka_ConsumerGroupDescription_t **list = result
		? rd_kafka_DescribeConsumerGroups_result_groups(result, &groups)
		: NULL;
	const rd_kafka_error_t *failure = groups == 1
		? rd_kafka_ConsumerGroupDescription_error(list[0])
		: NULL;

	if (groups != 1) {
		client_error_set(error, NULL, "%s",
			event ? rd_kafka_event_error_string(event) : "the broker did not answer");
		return false;
	}
	*count = failure ? 0 : rd_kafka_ConsumerGroupDescription_member_count(list[0]);
	if (!failure || rd_kafka_error_code(failure) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
		return true;
	client_error_set(error, NULL, "%s", rd_kafka_error_string(failure));
	return false;
}

bool group_count_members(struct client *client, const char *group, size_t *count,
	struct client_error *error)
{
	rd_kafka_t *rk = client_handle(client);
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk,
		RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	char reason[256];
	rd_kafka_event_t *event;
	bool ok;

	rd_kafka_AdminOptions_set_request_timeout(options, ASK_TIMEOUT_MS, reason, sizeof(reason));
	rd_kafka_DescribeConsumerGroups(rk, &group, 1, options, queue);
	event = rd_kafka_queue_poll(queue, ASK_TIMEOUT_MS + 1000);
	ok = group_read(event, count, error);
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	rd_kafka_AdminOptions_destroy(options);
	return ok;
}
