/* lane.c - see lane.h */
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
	if (lane->source)
		rd_kafka_queue_destroy(lane->source);
	free(lane->messages.ring);
	free(lane->reads.ring);
	free(lane->acked);
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

rd_kafka_message_t *message_queue_front(const struct message_queue *queue)
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

size_t message_bytes(const rd_kafka_message_t *message)
{
	/* librdkafka's own bookkeeping of a message, about. */
	return message->len + message->key_len + 256;
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
	if (offset < lane->next || lane->reseek)
		return false;
	if (offset > lane->next && offset != lane->gap) {
		lane->gap = offset;
		lane->reseek = true;
		return false;
	}
	lane->next = offset + 1;
	lane->gap = 0;
	lane->starved = 0;
	return true;
}

void lane_pass_gap(struct lane *lane)
{
	if (lane->state == LANE_RUNNING && !lane->busy && !lane->revoking &&
		message_queue_length(&lane->messages) == 0)
		lane->position = lane->next;
}

void lane_reached_end(struct lane *lane, int64_t offset)
{
	if (lane->state != LANE_RUNNING || offset <= lane->next || lane->reseek)
		return;
	if (offset != lane->gap) {
		lane->gap = offset;
		lane->reseek = true;
		return;
	}
	lane->next = offset;
	lane->gap = 0;
	lane->starved = 0;
	lane_pass_gap(lane);
}

bool lane_looks_starved(struct lane *lane, int64_t end, int looks)
{
	bool hungry = lane->state == LANE_RUNNING && !lane->revoking && !lane->reseek &&
		message_queue_length(&lane->messages) == 0 && !atomic_load(&lane->arrived) &&
		end > lane->next && end != lane->starved_end;
	lane->starved = hungry ? lane->starved + 1 : 0;
	if (lane->starved < looks)
		return false;
	lane->starved = 0;
	lane->starved_end = end;
	lane->reseek = true;
	return true;
}

void lane_read_sent(struct lane *lane, int64_t offset)
{
	struct read_queue *queue = &lane->reads;
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
	struct read_queue *queue = &lane->reads;
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
	*stored = (struct stored_replies){ .next = lane->stored, .seq = seq, .waiting = count };
	lane->stored = stored;
	return stored;
}

void lane_reply_acked(struct lane *lane, struct stored_replies *stored)
{
	if (--stored->waiting > 0)
		return;
	if (lane->acked_count == lane->acked_size) {
		lane->acked_size = lane->acked_size ? lane->acked_size * 2 : 16;
		lane->acked = alloc_grow(lane->acked, lane->acked_size, sizeof(*lane->acked));
	}
	lane->acked[lane->acked_count++] = stored->seq;
	struct stored_replies **at = &lane->stored;
	while (*at != stored)
		at = &(*at)->next;
	*at = stored->next;
	free(stored);
}

void lane_forget_replies(struct lane *lane)
{
	while (lane->stored) {
		struct stored_replies *next = lane->stored->next;
		free(lane->stored);
		lane->stored = next;
	}
	lane->reads.head = lane->reads.tail = 0;
	lane->acked_count = 0;
	lane->reply_generation++;
}

int64_t lane_answered(const struct lane *lane)
{
	if (lane->reads.head < lane->reads.tail)
		return read_at(&lane->reads, lane->reads.head)->offset;
	return lane->position;
}

bool lane_replies_waiting(const struct lane *lane)
{
	return lane->stored != NULL || lane->reads.head < lane->reads.tail;
}
