/* send_error.c - tests of what Kafka's errors say about a message */
#include <criterion/criterion.h>
#include <string.h>

#include "worker/kafka/send_error.h"

static bool can_pass(rd_kafka_resp_err_t error)
{
	return !send_error_is_refusal(error) && !send_error_is_producers(error);
}

Test(send_error, refusals_of_a_request_are_judged_message_by_message)
{
	static const rd_kafka_resp_err_t refusals[] = {
		RD_KAFKA_RESP_ERR_INVALID_RECORD,
		RD_KAFKA_RESP_ERR__INVALID_DIFFERENT_RECORD,
		RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
		RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
		RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
	};
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		cr_assert(send_error_is_refusal(refusals[i]), "%s", rd_kafka_err2name(refusals[i]));
}

Test(send_error, brokers_before_2_4_refuse_a_record_without_a_key_as_corrupt)
{
	cr_assert(send_error_is_refusal(RD_KAFKA_RESP_ERR_INVALID_MSG));
	cr_assert_not(send_error_is_size(RD_KAFKA_RESP_ERR_INVALID_MSG));
}

Test(send_error, a_wrong_clock_can_be_set_right)
{
	cr_assert(can_pass(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP));
	cr_assert(strstr(send_error_help(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP), "clocks"));
}

Test(send_error, rights_and_missing_topics_can_pass)
{
	cr_assert(can_pass(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED));
	cr_assert(send_error_is_right(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED));
	cr_assert(can_pass(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART));
	cr_assert(send_error_is_missing(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART));
}
