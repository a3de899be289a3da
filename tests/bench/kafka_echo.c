/*
 * kafka_echo.c - the minimal work of a Kafka worker: sends each value back
 *
 *   kafka_echo --topic T
 *
 * Reads every partition of T from its end. Sends each message's value to the topic in its header
 * reply-to, with its correlation-id. It has no group, no decoding and no database. Prints "ready" on
 * standard output when it reads; ends on SIGTERM.
 */
#include <signal.h>
#include <stdio.h>

#include "bench.h"
#include "kafka.h"

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void echo(rd_kafka_t *producer, const rd_kafka_message_t *message)
{
	size_t topic_size, id_size;
	const char *topic = kafka_header(message, "reply-to", &topic_size);
	const char *id = kafka_header(message, "correlation-id", &id_size);

	if (topic == NULL || id == NULL)
		die("a message without reply-to or correlation-id");
	/* librdkafka ends a header's value with a zero byte that the size does not include. */
	rd_kafka_resp_err_t status = rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic),
		RD_KAFKA_V_KEY(message->key, message->key_len),
		RD_KAFKA_V_VALUE(message->payload, message->len),
		RD_KAFKA_V_HEADER("correlation-id", id, id_size),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
	if (status != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("produce: %s", rd_kafka_err2str(status));
}

int main(int argc, char **argv)
{
	rd_kafka_t *producer = kafka_producer(0);
	rd_kafka_t *consumer = kafka_consumer(option(argc, argv, "topic", NULL));

	signal(SIGTERM, stop);
	puts("ready");
	fflush(stdout);
	while (!stopped) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 100);
		if (message != NULL) {
			if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
				echo(producer, message);
			else
				die("consume: %s", rd_kafka_message_errstr(message));
			rd_kafka_message_destroy(message);
		}
		rd_kafka_poll(producer, 0);
	}
	rd_kafka_flush(producer, 10000);
	rd_kafka_destroy(producer);
	rd_kafka_destroy(consumer);
	return 0;
}
