/* lane.c - one lane: its queue, gaps in the log, and the replies it owes */
#include "worker/lanes/lane.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"

#define QUEUE_START 64

struct lane *lane_new(const char *topic, int32_t partition)
{
	struct lane *lane = alloc_zero(1, sizeof(*lane));
	lane->topic = alloc_copy(topic);
	lane->partition = partition;
	lane->references = 1;
	return lane;
}

void lane_free(struct lane *lane)
{
	lane_clear(lane);
	lane_forget_replies(lane);
	if (lane->fetch.source)
		rd_kafka_queue_destroy(lane->fetch.source);
	free(lane->messages.ring);
	free(lane->replies.reads.ring);
	free(lane->replies.acked);
	free(lane->topic);
	free(lane);
}

size_t message_queue_length(const struct message_queue *queue)
{
	return queue->tail - queue->head;
}

static void message_queue_grow(struct message_queue *queue)
{
	size_t size = queue->size ? queue->size * 2 : QUEUE_START;
	size_t length = message_queue_length(queue);
	rd_kafka_message_t **ring = alloc_zero(size, sizeof(*ring));
	for (size_t i = 0; i < length; i++)
		ring[i] = queue->ring[(queue->head + i) & (queue->size - 1)];
	free(queue->ring);
	*queue = (struct message_queue){ .ring = ring, .size = size, .tail = length };
}

void message_queue_push(struct message_queue *queue, rd_kafka_message_t *message)
{
	if (message_queue_length(queue) == queue->size)
		message_queue_grow(queue);
	queue->ring[queue->tail++ & (queue->size - 1)] = message;
}

void message_queue_unpop(struct message_queue *queue, rd_kafka_message_t *message)
{
	if (message_queue_length(queue) == queue->size)
		message_queue_grow(queue);
	queue->ring[--queue->head & (queue->size - 1)] = message;
}

static rd_kafka_message_t *message_queue_front(const struct message_queue *queue)
{
	if (message_queue_length(queue) == 0)
		return NULL;
	return queue->ring[queue->head & (queue->size - 1)];
}

rd_kafka_message_t *message_queue_pop(struct message_queue *queue)
{
	rd_kafka_message_t *message = message_queue_front(queue);
	if (message)
		queue->head++;
	return message;
}

/* librdkafka keeps a struct and two blocks for each header, and the headers as they came. */
#define HEADER_BYTES 96
#define HEADER_COPIES 2

static size_t message_header_bytes(const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;
	const char *name;
	const void *value;
	size_t size, bytes = 0;
	if (rd_kafka_message_headers(message, &headers))
		return 0;
	for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++)
		bytes += HEADER_COPIES * (strlen(name) + size) + HEADER_BYTES;
	return bytes;
}

size_t message_uncounted_bytes(const rd_kafka_message_t *message)
{
	return message->key_len + message_header_bytes(message);
}

size_t message_bytes(const rd_kafka_message_t *message)
{
	/* librdkafka's own bookkeeping takes about 256 bytes a message. */
	return message->len + message_uncounted_bytes(message) + 256;
}

void lane_clear(struct lane *lane)
{
	rd_kafka_message_t *message;
	while ((message = message_queue_pop(&lane->messages)))
		rd_kafka_message_destroy(message);
	lane->bytes = 0;
}

static struct pending_read *read_at(const struct read_queue *queue, size_t place)
{
	return &queue->ring[place & (queue->size - 1)];
}

bool lane_accepts(struct lane *lane, int64_t offset)
{
	if (offset < lane->offsets.next || lane->fetch.reseek)
		return false;
	if (offset > lane->offsets.next && offset != lane->fetch.gap) {
		lane->fetch.gap = offset;
		lane->fetch.reseek = true;
		return false;
	}
	lane->offsets.next = offset + 1;
	lane->fetch.gap = 0;
	lane->fetch.starved = 0;
	return true;
}

void lane_pass_gap(struct lane *lane)
{
	if (lane->state == LANE_RUNNING && !lane->schedule.busy && !lane->schedule.revoking &&
		message_queue_length(&lane->messages) == 0)
		lane->offsets.position = lane->offsets.next;
}

void lane_reached_end(struct lane *lane, int64_t offset)
{
	if (lane->state != LANE_RUNNING || offset <= lane->offsets.next || lane->fetch.reseek)
		return;
	if (offset != lane->fetch.gap) {
		lane->fetch.gap = offset;
		lane->fetch.reseek = true;
		return;
	}
	lane->offsets.next = offset;
	lane->fetch.gap = 0;
	lane->fetch.starved = 0;
	lane_pass_gap(lane);
}

bool lane_looks_starved(struct lane *lane, int64_t end, int looks)
{
	bool hungry = lane->state == LANE_RUNNING && !lane->schedule.revoking &&
		!lane->fetch.reseek && !lane->fetch.unreadable &&
		message_queue_length(&lane->messages) == 0 && !atomic_load(&lane->fetch.arrived) &&
		end > lane->offsets.next && end != lane->fetch.starved_end;
	lane->fetch.starved = hungry ? lane->fetch.starved + 1 : 0;
	if (lane->fetch.starved < looks)
		return false;
	lane->fetch.starved = 0;
	lane->fetch.starved_end = end;
	lane->fetch.reseek = true;
	return true;
}

void lane_read_sent(struct lane *lane, int64_t offset)
{
	struct read_queue *queue = &lane->replies.reads;
	size_t length = queue->tail - queue->head;
	if (length == queue->size) {
		size_t size = queue->size ? queue->size * 2 : QUEUE_START;
		struct pending_read *ring = alloc_zero(size, sizeof(*ring));
		for (size_t i = 0; i < length; i++)
			ring[i] = *read_at(queue, queue->head + i);
		free(queue->ring);
		*queue = (struct read_queue){ .ring = ring, .size = size, .tail = length };
	}
	*read_at(queue, queue->tail++) = (struct pending_read){ .offset = offset };
}

void lane_read_answered(struct lane *lane, int64_t offset)
{
	struct read_queue *queue = &lane->replies.reads;
	size_t low = queue->head, high = queue->tail;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (read_at(queue, middle)->offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < queue->tail && read_at(queue, low)->offset == offset)
		read_at(queue, low)->answered = true;
	while (queue->head < queue->tail && read_at(queue, queue->head)->answered)
		queue->head++;
}

struct stored_replies *lane_replies_stored(struct lane *lane, int64_t seq, size_t count)
{
	struct stored_replies *stored = alloc_zero(1, sizeof(*stored));
	*stored = (struct stored_replies){
		.next = lane->replies.stored, .seq = seq, .waiting = count
	};
	lane->replies.stored = stored;
	return stored;
}

void lane_reply_acked(struct lane *lane, struct stored_replies *stored)
{
	if (--stored->waiting > 0)
		return;
	if (lane->replies.acked_count == lane->replies.acked_size) {
		lane->replies.acked_size = lane->replies.acked_size ? lane->replies.acked_size * 2
								    : 16;
		lane->replies.acked = alloc_grow(lane->replies.acked, lane->replies.acked_size,
			sizeof(*lane->replies.acked));
	}
	lane->replies.acked[lane->replies.acked_count++] = stored->seq;
	struct stored_replies **at = &lane->replies.stored;
	while (*at != stored)
		at = &(*at)->next;
	*at = stored->next;
	free(stored);
}

void lane_forget_replies(struct lane *lane)
{
	while (lane->replies.stored) {
		struct stored_replies *next = lane->replies.stored->next;
		free(lane->replies.stored);
		lane->replies.stored = next;
	}
	lane->replies.reads.head = lane->replies.reads.tail = 0;
	lane->replies.acked_count = 0;
	memset(lane->replies.held, 0, sizeof(lane->replies.held));
	lane->replies.generation++;
}

bool lane_is_stopped(const struct lane *lane)
{
	return lane->state == LANE_STOPPED || lane->fetch.unreadable ||
		lane->replies.held[HOLD_DEAD_LETTER] > 0;
}

bool lane_is_held(const struct lane *lane)
{
	for (int kind = 0; kind < HOLD_KINDS; kind++)
		if (lane->replies.held[kind] > 0)
			return true;
	return false;
}

int64_t lane_answered(const struct lane *lane)
{
	if (lane->replies.reads.head < lane->replies.reads.tail)
		return read_at(&lane->replies.reads, lane->replies.reads.head)->offset;
	return lane->offsets.position;
}

bool lane_replies_waiting(const struct lane *lane)
{
	return lane->replies.stored != NULL || lane->replies.reads.head < lane->replies.reads.tail;
}

bool lane_row_is_behind(const struct lane *lane)
{
	return lane->replies.acked_count > 0 || lane->offsets.applied < lane->offsets.position ||
		lane->offsets.answered != lane_answered(lane);
}
