/*
 * send_error.h - what an error of Kafka says about a message that was sent
 *
 * Source: the error codes of Kafka's protocol, and librdkafka's own. Pure functions.
 */
#ifndef WORKER_KAFKA_SEND_ERROR_H
#define WORKER_KAFKA_SEND_ERROR_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

/* The broker refuses a whole request for its size or for one of its messages. It says nothing about
 * one message until that message was refused alone. A timestamp is no such reason: a message that goes again has
 * the time at which it goes, so it passes once the clocks agree. */
bool send_error_is_refusal(rd_kafka_resp_err_t error);
/* Such a refusal for the size alone. */
bool send_error_is_size(rd_kafka_resp_err_t error);
/* A right is missing, which an operator can grant. */
bool send_error_is_right(rd_kafka_resp_err_t error);
/* The topic or the partition does not exist now. */
bool send_error_is_missing(rd_kafka_resp_err_t error);
/* The producer failed or was purged, whatever the message was. */
bool send_error_is_producers(rd_kafka_resp_err_t error);

/* What an operator can do. */
const char *send_error_help(rd_kafka_resp_err_t error);

#endif
