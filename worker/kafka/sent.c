/* sent.c - copies of messages that are on their way, and lists of them */
#include "worker/kafka/sent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"

static rd_kafka_headers_t *sent_headers(const struct outgoing *message, size_t *bytes)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(message->header_count);
	for (size_t i = 0; i < message->header_count; i++) {
		const struct outgoing_header *header = &message->headers[i];
		rd_kafka_header_add(headers, header->name, -1, header->value,
			(ssize_t)header->size);
		*bytes += strlen(header->name) + header->size;
	}
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
	size_t size = sizeof(struct sent) + message->key_size + message->value_size + 1;
	struct sent *sent = alloc_zero(1, size);
	char *at = sent->data;
	sent->delivery = *delivery;
	sent->dead_letter = message->dead_letter;
	sent->partition = message->partition;
	sent->timestamp_ms = message->timestamp_ms;
	sent->bytes = size;
	sent->headers = sent_headers(message, &sent->bytes);
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

void sent_drop_value(struct sent *sent)
{
	char size[24];
	snprintf(size, sizeof(size), "%zu", sent->value_size);
	rd_kafka_header_add(sent->headers, DEAD_LETTER_OMITTED, -1, size, -1);
	sent->slim = true;
	sent->value = NULL;
	sent->value_size = 0;
}

void sent_append(struct sent_list *list, struct sent *sent)
{
	sent->next = NULL;
	if (list->last)
		list->last->next = sent;
	else
		list->first = sent;
	list->last = sent;
}

void sent_insert(struct sent_list *list, struct sent *sent)
{
	if (!list->last || list->last->number < sent->number) {
		sent_append(list, sent);
		return;
	}
	struct sent **at = &list->first;
	while ((*at)->number < sent->number)
		at = &(*at)->next;
	sent->next = *at;
	*at = sent;
}

struct sent *sent_take(struct sent_list *list)
{
	struct sent *sent = list->first;
	if (!sent)
		return NULL;
	list->first = sent->next;
	if (!list->first)
		list->last = NULL;
	sent->next = NULL;
	return sent;
}

void sent_join(struct sent_list *list, struct sent_list *tail)
{
	if (!tail->first)
		return;
	if (list->last)
		list->last->next = tail->first;
	else
		list->first = tail->first;
	list->last = tail->last;
	*tail = (struct sent_list){ 0 };
}
