/* ./a.out SERVERS SCHEMAS: asks for a thread and prints it
 * cc call.c $(pkg-config --cflags --libs rdkafka avro-c) */
#include <avro.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

static rd_kafka_t *client(rd_kafka_type_t type, const char *servers, const char *name,
	const char *value)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_set(conf, "bootstrap.servers", servers, NULL, 0);
	rd_kafka_conf_set(conf, name, value, NULL, 0);
	return rd_kafka_new(type, conf, NULL, 0);
}

static int has_header(rd_kafka_message_t *message, const char *name, const char *text)
{
	rd_kafka_headers_t *headers;
	const void *value;
	size_t size;
	return !rd_kafka_message_headers(message, &headers) &&
		!rd_kafka_header_get_last(headers, name, &value, &size) && size == strlen(text) &&
		memcmp(value, text, size) == 0;
}

int main(int argc, char **argv)
{
	/* C3 01; index.json's requestFingerprint of memory.getThreadById, last byte first;
	 * threadId: its length (doubled, as Avro writes numbers) and text; resourceId: null */
	unsigned char command[] = { 0xC3, 0x01, 0x82, 0xA9, 0x60, 0xA9, 0xAC, 0xAE, 0x1F, 0x7C, 8,
		't', 'r', 'i', 'p', 0 };
	if (argc != 3)
		return 2;
	rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, argv[1], "partitioner", "murmur2_random");
	rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER, argv[1], "group.id", "unused");
	rd_kafka_topic_partition_list_t *place = rd_kafka_topic_partition_list_new(1);
	int64_t low, high; /* replies from now on */
	rd_kafka_query_watermark_offsets(consumer, "mastra.replies", 0, &low, &high, 10000);
	rd_kafka_topic_partition_list_add(place, "mastra.replies", 0)->offset = high;
	rd_kafka_assign(consumer, place);

	rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("mastra.commands.memory"),
		RD_KAFKA_V_KEY("trip", 4), RD_KAFKA_V_VALUE(command, sizeof(command)),
		RD_KAFKA_V_HEADER("reply-to", "mastra.replies", -1),
		RD_KAFKA_V_HEADER("reply-partition", "0", -1),
		RD_KAFKA_V_HEADER("correlation-id", "42", -1), RD_KAFKA_V_END);
	rd_kafka_flush(producer, 10000);
	rd_kafka_message_t *reply;
	do
		reply = rd_kafka_consumer_poll(consumer, 30000);
	while (reply && !has_header(reply, "correlation-id", "42"));
	if (!reply)
		return 1;

	char path[512], text[65536] = "", *json;
	int ok = has_header(reply, "status", "ok");
	snprintf(path, sizeof(path), "%s/%s.avsc", argv[2],
		ok ? "memory/GetThreadByIdReply" : "Error");
	FILE *file = fopen(path, "r");
	avro_schema_t schema;
	avro_value_t value;
	if (!file || !fread(text, 1, sizeof(text) - 1, file) ||
		avro_schema_from_json_length(text, strlen(text), &schema))
		return 1;
	avro_reader_t datum = avro_reader_memory((char *)reply->payload + 10,
		(int64_t)reply->len - 10);
	avro_generic_value_new(avro_generic_class_from_schema(schema), &value);
	if (avro_value_read(datum, &value) || avro_value_to_json(&value, 1, &json))
		return 1;
	return puts(json) < 0;
}
