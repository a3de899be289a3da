/* rounds.c - holds messages for each topic and starts a round when the previous one has ended */
#include "worker/kafka/rounds.h"

#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"

/* Beyond this, senders wait. */
#define HELD_BYTES ((size_t)4 * 1024 * 1024)

static rd_kafka_headers_t *sent_headers(const struct outgoing *message)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(message->header_count);
	for (size_t i = 0; i < message->header_count; i++)
		rd_kafka_header_add(headers, message->headers[i].name, -1,
			message->headers[i].value, (ssize_t)message->headers[i].size);
	return headers;
}

static void *sent_copy(char **at, const void *bytes, size_t size)
{
	if (!bytes)
		return NULL;
	char *to = *at;
	if (size)
		memcpy(to, bytes, size);
	*at += size;
	return to;
}

struct sent *sent_new(const struct outgoing *message, const struct delivery *delivery)
{
	/* One byte more: an empty key or value differs from a missing one by its address. */
	struct sent *sent = alloc_zero(1,
		sizeof(*sent) + message->key_size + message->value_size + 1);
	char *at = sent->bytes;
	sent->delivery = *delivery;
	sent->dead_letter = message->dead_letter;
	sent->partition = message->partition;
	sent->timestamp_ms = message->timestamp_ms;
	sent->headers = sent_headers(message);
	sent->key = sent_copy(&at, message->key, message->key_size);
	sent->key_size = message->key_size;
	sent->value = sent_copy(&at, message->value, message->value_size);
	sent->value_size = message->value_size;
	return sent;
}

void sent_free(struct sent *sent)
{
	if (sent->headers)
		rd_kafka_headers_destroy(sent->headers);
	free(sent);
}

static size_t sent_bytes(const struct sent *sent)
{
	return sizeof(*sent) + sent->key_size + sent->value_size;
}

void rounds_init(struct rounds *rounds)
{
	*rounds = (struct rounds){ 0 };
	pthread_mutex_init(&rounds->mutex, NULL);
}

void rounds_free(struct rounds *rounds)
{
	while (rounds->list) {
		struct round *next = rounds->list->next;
		free(rounds->list->topic);
		free(rounds->list);
		rounds->list = next;
	}
	pthread_mutex_destroy(&rounds->mutex);
}

static struct round *rounds_find(struct rounds *rounds, const char *topic)
{
	struct round *round = rounds->list;
	while (round && strcmp(round->topic, topic) != 0)
		round = round->next;
	if (round)
		return round;
	round = alloc_zero(1, sizeof(*round));
	round->topic = alloc_copy(topic);
	round->held_end = &round->held;
	round->next = rounds->list;
	rounds->list = round;
	return round;
}

bool rounds_hold(struct rounds *rounds, struct sent *sent, const char *topic)
{
	pthread_mutex_lock(&rounds->mutex);
	struct round *round = rounds_find(rounds, topic);
	sent->round = round;
	if (!round->held)
		round->held_since = clock_tick_ms();
	*round->held_end = sent;
	round->held_end = &sent->next;
	rounds->held_bytes += sent_bytes(sent);
	bool full = rounds->held_bytes > HELD_BYTES;
	pthread_mutex_unlock(&rounds->mutex);
	return full;
}

bool rounds_are_full(struct rounds *rounds)
{
	pthread_mutex_lock(&rounds->mutex);
	bool full = rounds->held_bytes > HELD_BYTES;
	pthread_mutex_unlock(&rounds->mutex);
	return full;
}

/* With the mutex held: what the round holds is in flight now. */
static struct sent *round_start(struct rounds *rounds, struct round *round)
{
	struct sent *first = round->held;
	for (struct sent *sent = first; sent; sent = sent->next) {
		round->in_flight++;
		rounds->held_bytes -= sent_bytes(sent);
	}
	round->held = NULL;
	round->held_end = &round->held;
	round->due = false;
	return first;
}

struct sent *rounds_start(struct rounds *rounds, struct round **at, int64_t tick)
{
	struct sent *first = NULL;
	pthread_mutex_lock(&rounds->mutex);
	struct round *round = *at ? (*at)->next : rounds->list;
	for (; round && !first; round = round->next) {
		if (!round->held || (!round->due && round->held_since > tick))
			continue;
		round->due = true;
		if (round->in_flight == 0)
			first = round_start(rounds, round);
		*at = round;
	}
	pthread_mutex_unlock(&rounds->mutex);
	return first;
}

struct sent *rounds_end_one(struct rounds *rounds, struct round *round, bool may_start)
{
	struct sent *first = NULL;
	pthread_mutex_lock(&rounds->mutex);
	if (--round->in_flight == 0 && round->due && may_start)
		first = round_start(rounds, round);
	pthread_mutex_unlock(&rounds->mutex);
	return first;
}

void rounds_hold_again(struct rounds *rounds, struct sent *first)
{
	struct round *round = first->round;
	struct sent *last = first;
	pthread_mutex_lock(&rounds->mutex);
	for (struct sent *sent = first; sent; sent = sent->next) {
		last = sent;
		round->in_flight--;
		rounds->held_bytes += sent_bytes(sent);
	}
	last->next = round->held;
	if (!round->held)
		round->held_end = &last->next;
	round->held = first;
	round->due = true;
	pthread_mutex_unlock(&rounds->mutex);
}

struct sent *rounds_drop(struct rounds *rounds)
{
	struct sent *dropped = NULL, **end = &dropped;
	pthread_mutex_lock(&rounds->mutex);
	for (struct round *round = rounds->list; round; round = round->next) {
		*end = round_start(rounds, round);
		for (; *end; end = &(*end)->next)
			round->in_flight--;
	}
	pthread_mutex_unlock(&rounds->mutex);
	return dropped;
}
