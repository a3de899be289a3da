/* sent.c - copies of messages that are on their way, and lists of them */
#include "worker/kafka/sent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"

/* What a header keeps of its value when the rest is left out, in bytes. */
#define BARE_TEXT 512

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

static void add_size(rd_kafka_headers_t *headers, const char *name, size_t bytes)
{
	char text[24];
	snprintf(text, sizeof(text), "%zu", bytes);
	rd_kafka_header_add(headers, name, -1, text, -1);
}

void sent_drop_value(struct sent *sent)
{
	add_size(sent->headers, DEAD_LETTER_OMITTED, sent->value_size);
	sent->slim = true;
	sent->value = NULL;
	sent->value_size = 0;
}

static size_t header_bytes(const rd_kafka_headers_t *headers)
{
	const char *name;
	const void *value;
	size_t size, bytes = 0;
	for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++)
		bytes += strlen(name) + size;
	return bytes;
}

/* Cuts between characters of UTF-8. */
static size_t cut_text(const char *text, size_t size)
{
	if (size <= BARE_TEXT)
		return size;
	size = BARE_TEXT;
	while (size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80)
		size--;
	return size;
}

/* The last header of a name is the worker's: a client may have sent others of that name. Returns its bytes. */
static size_t keep_header(const rd_kafka_headers_t *from, rd_kafka_headers_t *to, const char *name)
{
	const void *value;
	size_t size;
	if (rd_kafka_header_get_last(from, name, &value, &size))
		return 0;
	rd_kafka_header_add(to, name, -1, value, (ssize_t)cut_text(value, size));
	return strlen(name) + size;
}

void sent_drop_key(struct sent *sent, int32_t partition)
{
	static const char *const kept[] = { DEAD_LETTER_KEPT };
	rd_kafka_headers_t *bare = rd_kafka_headers_new(sizeof(kept) / sizeof(kept[0]) + 2);
	size_t own = header_bytes(sent->headers);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		own -= keep_header(sent->headers, bare, kept[i]);
	if (sent->key)
		add_size(bare, DEAD_LETTER_KEY_OMITTED, sent->key_size);
	if (own > 0)
		add_size(bare, DEAD_LETTER_HEADERS_OMITTED, own);
	rd_kafka_headers_destroy(sent->headers);
	sent->headers = bare;
	sent->bare = true;
	sent->key = NULL;
	sent->key_size = 0;
	if (sent->partition < 0 && partition >= 0)
		sent->partition = partition;
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
