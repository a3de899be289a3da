/* send_error.c - sorts Kafka's errors by what they say about a message */
#include "worker/kafka/send_error.h"

bool send_error_is_size(rd_kafka_resp_err_t error)
{
	switch (error) {
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
		return true;
	default:
		return false;
	}
}

bool send_error_is_refusal(rd_kafka_resp_err_t error)
{
	switch (error) {
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case RD_KAFKA_RESP_ERR__INVALID_DIFFERENT_RECORD:
	/* Before Kafka 2.4 this is INVALID_RECORD: a record without a key in a compacted topic. If the network
	 * damaged the request, librdkafka has sent it again `retries` times before it reports this. */
	case RD_KAFKA_RESP_ERR_INVALID_MSG:
	case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
	case RD_KAFKA_RESP_ERR__INVALID_ARG:
		return true;
	default:
		return send_error_is_size(error);
	}
}

bool send_error_is_right(rd_kafka_resp_err_t error)
{
	switch (error) {
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
		return true;
	default:
		return false;
	}
}

bool send_error_is_missing(rd_kafka_resp_err_t error)
{
	switch (error) {
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID:
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
		return true;
	default:
		return false;
	}
}

bool send_error_is_producers(rd_kafka_resp_err_t error)
{
	switch (error) {
	case RD_KAFKA_RESP_ERR__FATAL:
	case RD_KAFKA_RESP_ERR__FENCED:
	case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
	case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
	case RD_KAFKA_RESP_ERR__QUEUE_FULL:
	case RD_KAFKA_RESP_ERR__DESTROY:
		return true;
	default:
		return false;
	}
}

const char *send_error_help(rd_kafka_resp_err_t error)
{
	if (send_error_is_right(error))
		return "grant the worker's user the right WRITE on this topic; it goes on by itself";
	if (send_error_is_missing(error))
		return "create the topic (stowage topics create); it goes on by itself";
	if (send_error_is_size(error))
		return "raise the topic's max.message.bytes; it goes on by itself";
	if (error == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP)
		return "compare the clocks of this host and of the brokers, and the topic's "
		       "message.timestamp.* settings; it goes on by itself";
	return "nothing is lost; it goes on by itself";
}
