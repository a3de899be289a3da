/* queue.c - messages that wait in lanes: room, order and memory */
#include "worker/lanes/queue.h"

#include "schemas/base/clock.h"
#include "worker/lanes/state.h"
#include "worker/lanes/work.h"

size_t lanes_room(struct lanes *lanes, const struct lane *lane)
{
	lanes_lock(lanes);
	size_t room = lane_room_locked(lanes, lane);
	lanes_unlock(lanes);
	return room;
}

static size_t queue_push_accepted(struct lane *lane, rd_kafka_message_t **messages, size_t count)
{
	size_t bytes = 0;
	for (size_t i = 0; i < count; i++) {
		rd_kafka_message_t *message = messages[i];
		if (lane->state != LANE_RUNNING || !lane_accepts(lane, message->offset)) {
			rd_kafka_message_destroy(message);
			continue;
		}
		if (message_queue_length(&lane->messages) == 0)
			lane->schedule.first_at = clock_tick_ms();
		bytes += message_bytes(message);
		lane->fetch.counted += message->len;
		lane->fetch.uncounted += message_uncounted_bytes(message);
		lane->fetch.messages++;
		message_queue_push(&lane->messages, message);
	}
	return bytes;
}

size_t lanes_push(struct lanes *lanes, struct lane *lane, rd_kafka_message_t **messages,
	size_t count)
{
	/* librdkafka parses a message's headers once: here, while nobody waits for the mutex. */
	for (size_t i = 0; i < count; i++)
		(void)message_uncounted_bytes(messages[i]);
	lanes_lock(lanes);
	size_t bytes = queue_push_accepted(lane, messages, count);
	lane->bytes += bytes;
	lanes->bytes += bytes;
	metrics_gauge(lanes->metrics, GAUGE_QUEUED_BYTES, (int64_t)lanes->bytes);
	struct waiter *waiter = lanes_waiter_for(lanes, lane);
	if (lane->fetch.reseek)
		lanes_wake_consumer(lanes);
	lanes_unlock(lanes);
	/* Without the mutex: the executor would wake only to wait for it. */
	if (waiter)
		pthread_cond_signal(&waiter->wake);
	return bytes;
}

void lanes_reached_end(struct lanes *lanes, struct lane *lane, int64_t offset)
{
	lanes_lock(lanes);
	lane_reached_end(lane, offset);
	if (lane->fetch.reseek)
		lanes_wake_consumer(lanes);
	lanes_unlock(lanes);
}

rd_kafka_message_t *lanes_pop(struct lanes *lanes, struct lane *lane)
{
	lanes_lock(lanes);
	rd_kafka_message_t *message = lane->state == LANE_RUNNING
		? message_queue_pop(&lane->messages)
		: NULL;
	if (message)
		lane->bytes -= message_bytes(message);
	lanes_unlock(lanes);
	return message;
}

void lanes_each_waiting(struct lanes *lanes, const struct lane *lane, size_t most,
	void (*each)(void *arg, const rd_kafka_message_t *message), void *arg)
{
	const struct message_queue *queue = &lane->messages;
	lanes_lock(lanes);
	for (size_t i = queue->head; i != queue->tail && most > 0; i++, most--)
		each(arg, queue->ring[i & (queue->size - 1)]);
	lanes_unlock(lanes);
}

void lanes_defer(struct lanes *lanes, struct lane *lane, int64_t delay_ms)
{
	lanes_lock(lanes);
	lane->schedule.not_before = clock_tick_ms() + delay_ms;
	lanes_unlock(lanes);
}

void lanes_unpop(struct lanes *lanes, struct lane *lane, rd_kafka_message_t **messages,
	size_t count)
{
	lanes_lock(lanes);
	bool wanted = lane->state == LANE_RUNNING && !lane->schedule.revoking;
	while (count-- > 0) {
		rd_kafka_message_t *message = messages[count];
		if (!wanted) {
			lanes->bytes -= message_bytes(message);
			rd_kafka_message_destroy(message);
			continue;
		}
		lane->bytes += message_bytes(message);
		message_queue_unpop(&lane->messages, message);
	}
	lanes_unlock(lanes);
}

void lanes_released(struct lanes *lanes, size_t bytes)
{
	lanes_lock(lanes);
	lanes->bytes -= bytes;
	metrics_gauge(lanes->metrics, GAUGE_QUEUED_BYTES, (int64_t)lanes->bytes);
	lanes_unlock(lanes);
}
