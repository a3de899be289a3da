/* kafka.c - the commands' messages, and what the engine asks of Kafka, on the simulation */
#include "tests/model/kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.gen.h"
#include "handlers/domains/command_table.h"
#include "schemas/avro/encode.h"
#include "schemas/avro/framing.h"
#include "schemas/base/alloc.h"
#include "tests/model/catalog.h"
#include "tests/model/model.h"
#include "worker/kafka/partition_look.h"
#include "worker/kafka/reply_topics.h"
#include "worker/lanes/replies.h"

#define SENT_MAX 512

/* --- messages of commands --- */

static struct buffer values[KIND_COUNT];
static rd_kafka_headers_t *headers[PARTITIONS_MAX][OFFSETS_MAX][2];

static void make_value(enum kind kind, const char *command, struct datum *fields, uint32_t count)
{
	struct datum request = datum_record(fields, count);
	const struct catalog_schema *schema = catalog_request(model_catalog(),
		command_find(command, strlen(command)));
	char why[256];
	values[kind] = buffer_empty(4096);
	framing_write(&values[kind], schema->fingerprint);
	if (encode(&values[kind], schema->type, &request, why, sizeof(why)) != ENCODE_OK) {
		fprintf(stderr, "model: %s: %s\n", command, why);
		abort();
	}
}

static void make_values(void)
{
	struct datum write[WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT_SIZE] = { 0 };
	struct datum read[WORKFLOWS_GET_WORKFLOW_RUN_BY_ID_SIZE] = { 0 };
	struct datum list[WORKFLOWS_LIST_WORKFLOW_RUNS_SIZE] = { 0 };
	for (unsigned i = 0; i < WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT_SIZE; i++)
		write[i] = datum_null();
	for (unsigned i = 0; i < WORKFLOWS_LIST_WORKFLOW_RUNS_SIZE; i++)
		list[i] = datum_null();
	write[WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT__WORKFLOW_NAME] = datum_string("w");
	write[WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT__RUN_ID] = datum_string("r");
	write[WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT__SNAPSHOT] = datum_string("{}");
	read[WORKFLOWS_GET_WORKFLOW_RUN_BY_ID__RUN_ID] = datum_string("r");
	read[WORKFLOWS_GET_WORKFLOW_RUN_BY_ID__WORKFLOW_NAME] = datum_null();
	make_value(KIND_WRITE, "workflows.persistWorkflowSnapshot", write,
		WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT_SIZE);
	make_value(KIND_POISON, "workflows.persistWorkflowSnapshot", write,
		WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT_SIZE);
	make_value(KIND_READ, "workflows.getWorkflowRunById", read,
		WORKFLOWS_GET_WORKFLOW_RUN_BY_ID_SIZE);
	make_value(KIND_DETACHED, "workflows.listWorkflowRuns", list,
		WORKFLOWS_LIST_WORKFLOW_RUNS_SIZE);
	values[KIND_BAD] = buffer_empty(16);
	buffer_add(&values[KIND_BAD], "\xC3\x01nonsense", 10);
}

void kafka_prepare(void)
{
	make_values();
	for (int p = 0; p < PARTITIONS_MAX; p++)
		for (int o = 0; o < OFFSETS_MAX; o++)
			for (int asks = 0; asks < 2; asks++) {
				const struct place place = { p, o };
				rd_kafka_headers_t *made = rd_kafka_headers_new(3);
				rd_kafka_header_add(made, "place", -1, &place, sizeof(place));
				if (asks) {
					rd_kafka_header_add(made, "reply-to", -1, "replies", 7);
					rd_kafka_header_add(made, "correlation-id", -1, &place,
						sizeof(place));
				}
				headers[p][o][asks] = made;
			}
}

rd_kafka_message_t *kafka_fetch(int partition, int offset)
{
	const struct command *command = command_at(partition, offset);
	if (command->kind == KIND_GAP)
		return NULL;
	rd_kafka_message_t *message = alloc_zero(1, sizeof(*message));
	message->partition = partition;
	message->offset = offset;
	message->payload = values[command->kind].data;
	message->len = values[command->kind].size;
	return message;
}

void __wrap_rd_kafka_message_destroy(rd_kafka_message_t *message);
rd_kafka_resp_err_t __wrap_rd_kafka_message_headers(const rd_kafka_message_t *message,
	rd_kafka_headers_t **found);
int64_t __wrap_rd_kafka_message_timestamp(const rd_kafka_message_t *message,
	rd_kafka_timestamp_type_t *type);

void __wrap_rd_kafka_message_destroy(rd_kafka_message_t *message)
{
	free(message);
}

rd_kafka_resp_err_t __wrap_rd_kafka_message_headers(const rd_kafka_message_t *message,
	rd_kafka_headers_t **found)
{
	bool asks = command_at(message->partition, message->offset)->asks;
	*found = headers[message->partition][message->offset][asks];
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

int64_t __wrap_rd_kafka_message_timestamp(const rd_kafka_message_t *message,
	rd_kafka_timestamp_type_t *type)
{
	(void)message;
	*type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
	return -1;
}

/* --- partition_look.h, reply_topics.h --- */

/* An answer that is not asked for now may be older than what another worker has applied. */
bool partition_look_at(struct partition_looks *looks, const struct lane *lane, bool now,
	struct partition_look *look)
{
	(void)looks;
	int visible = model.visible[lane->partition];
	sim_yield();
	*look = (struct partition_look){ .high = now ? visible : sim_below(visible + 1) };
	return !strikes(model.faults.topics);
}

enum reply_topic reply_topics_known(struct reply_topics *topics, const char *name, size_t size,
	int32_t *partitions)
{
	(void)topics, (void)name, (void)size;
	*partitions = 1;
	return strikes(model.faults.topics) ? REPLY_TOPIC_UNSURE : REPLY_TOPIC_THERE;
}

void reply_topics_ask(struct reply_topics *topics, const char *const *names, size_t count)
{
	(void)topics, (void)names, (void)count;
}

/* --- producer.h --- */

struct sent_message {
	struct place place;
	bool dead_letter;
	struct delivery delivery;
};

struct producer {
	struct process *process;
	struct lanes *lanes;
	struct sent_message sent[SENT_MAX];
	int head, tail;
};

static void arrive(const struct sent_message *sent)
{
	int p = sent->place.partition, o = sent->place.offset;
	if (sent->dead_letter)
		model.letters[p][o]++;
	else
		model.replies[p][o]++;
	sim_trace("Kafka has the %s of partition %d offset %d",
		sent->dead_letter ? "dead letter" : "reply", p, o);
}

static void note_place(const struct outgoing *message, struct place *place)
{
	for (size_t i = 0; i < message->header_count; i++) {
		const struct outgoing_header *header = &message->headers[i];
		if (strcmp(header->name, "place") == 0 ||
			strcmp(header->name, "correlation-id") == 0)
			memcpy(place, header->value, sizeof(*place));
	}
}

/* Nobody may hear of a write before its effect is there. */
static void check_sent(const struct sent_message *sent)
{
	int p = sent->place.partition, o = sent->place.offset;
	if (command_at(p, o)->kind == KIND_WRITE && model.effects[p] <= writes_before(p, o))
		sim_broken("partition %d offset %d: the %s leaves before the effect is there", p, o,
			sent->dead_letter ? "dead letter" : "reply");
	if (sent->dead_letter && command_at(p, o)->kind != KIND_BAD &&
		command_at(p, o)->kind != KIND_POISON)
		sim_broken("partition %d offset %d: a good command becomes a dead letter", p, o);
}

void producer_send(struct producer *producer, const struct outgoing *message,
	const struct delivery *delivery)
{
	lane_ref(producer->lanes, delivery->lane); /* others may run meanwhile */
	if (producer->tail - producer->head == SENT_MAX)
		abort();
	struct sent_message *sent = &producer->sent[producer->tail % SENT_MAX];
	*sent = (struct sent_message){ .dead_letter = message->dead_letter, .delivery = *delivery };
	note_place(message, &sent->place);
	check_sent(sent);
	producer->tail++;
	sim_yield();
}

struct stored_sender {
	struct producer *producer;
	const struct delivery *delivery;
};

static void send_stored_one(void *arg, const struct outgoing *message)
{
	const struct stored_sender *sender = arg;
	producer_send(sender->producer, message, sender->delivery);
}

size_t producer_send_stored(struct producer *producer, const void *payload, size_t size,
	const struct delivery *delivery)
{
	struct stored_sender sender = { producer, delivery };
	bool bad;
	return outgoing_each(payload, size, send_stored_one, &sender, &bad);
}

void producer_flush(struct producer *producer)
{
	(void)producer;
	sim_yield();
}

void producer_flush_gathered(struct producer *producer, int64_t gather_ms)
{
	(void)gather_ms;
	producer_flush(producer);
}

/* As worker/kafka/producer.c settles a message. One that was not delivered may have arrived, and goes
 * again. */
static void settle(struct producer *producer, bool delivered)
{
	struct sent_message sent = producer->sent[producer->head % SENT_MAX];
	struct lane *lane = sent.delivery.lane;
	if (!delivered) {
		sim_trace("partition %d offset %d: not delivered", sent.place.partition,
			sent.place.offset);
		if (sim_one_in(2))
			arrive(&sent);
		return;
	}
	producer->head++;
	arrive(&sent);
	lane_ref(producer->lanes, lane);
	lanes_reply_done(producer->lanes, lane, sent.delivery.generation, sent.delivery.stored,
		sent.delivery.read_offset);
	lane_unref(producer->lanes, lane);
}

/* The idempotent producer fails: what is in flight is in doubt, and goes again. */
static void producer_fail(struct producer *producer)
{
	int count = producer->tail - producer->head;
	sim_trace("the producer fails with %d messages in flight", count);
	for (int i = 0; i < count; i++)
		if (sim_one_in(2))
			arrive(&producer->sent[(producer->head + i) % SENT_MAX]);
}

static bool has_sent(void *arg)
{
	return !producer_is_idle(arg);
}

static void *producer_run(void *arg)
{
	struct producer *producer = arg;
	for (;;) {
		sim_wait(has_sent, producer, INT64_MAX);
		if (sim_one_in(4))
			sim_sleep(sim_below(300) * MS);
		if (strikes(model.faults.producer))
			producer_fail(producer);
		else
			settle(producer, !strikes(model.faults.undelivered));
		sim_yield();
	}
	return NULL;
}

struct producer *producer_start(struct process *process, struct lanes *lanes)
{
	struct producer *producer = alloc_zero(1, sizeof(*producer));
	producer->process = process;
	producer->lanes = lanes;
	sim_task(process, "producer", producer_run, producer);
	return producer;
}

void producer_drop(struct producer *producer)
{
	for (int i = producer->head; i < producer->tail; i++)
		if (sim_one_in(2))
			arrive(&producer->sent[i % SENT_MAX]);
}

bool producer_is_idle(const struct producer *producer)
{
	return producer->head == producer->tail;
}
