/* sent.c - tests of dead letters that leave out what is too large */
#include <criterion/criterion.h>
#include <string.h>

#include "worker/kafka/sent.h"

#define HEADERS 5

static char large[2000];

static struct sent *make(const char *key, struct outgoing_header *headers)
{
	const struct outgoing message = {
		.topic = "a.dlq",
		.partition = -1,
		.dead_letter = true,
		.key = key,
		.key_size = key ? strlen(key) : 0,
		.value = "value",
		.value_size = 5,
		.headers = headers,
		.header_count = HEADERS,
	};
	struct sent *sent = sent_new(&message, &(struct delivery){ 0 });
	sent_drop_value(sent);
	return sent;
}

static void expect(const struct sent *sent, const char *name, const char *value)
{
	const void *got;
	size_t size;
	bool missing = rd_kafka_header_get_last(sent->headers, name, &got, &size);
	cr_assert_eq(missing, !value, "%s", name);
	cr_assert(!value || (size == strlen(value) && memcmp(got, value, size) == 0), "%s", name);
}

Test(sent, a_dead_letter_without_key_and_headers_says_what_is_missing)
{
	struct outgoing_header headers[HEADERS] = {
		{ "own", "12345", 5 },
		{ DEAD_LETTER_CONTEXT "topic", "a client's", 10 },
		{ DEAD_LETTER_CONTEXT "other", "a client's", 10 },
		{ DEAD_LETTER_CONTEXT "topic", "a", 1 },
		{ DEAD_LETTER_CONTEXT "offset", "7", 1 },
	};
	struct sent *sent = make("key", headers);
	sent_drop_key(sent, 2);
	cr_assert_null(sent->key);
	cr_assert_eq(sent->partition, 2, "the partition that its key chose");
	cr_assert_eq(rd_kafka_header_cnt(sent->headers), 5);
	expect(sent, "own", NULL);
	expect(sent, DEAD_LETTER_CONTEXT "topic", "a");
	expect(sent, DEAD_LETTER_CONTEXT "offset", "7");
	expect(sent, DEAD_LETTER_OMITTED, "5");
	expect(sent, DEAD_LETTER_KEY_OMITTED, "3");
	/* own: 8 bytes; __connect.errors.topic and .other: 22 + 10 bytes each. */
	expect(sent, DEAD_LETTER_HEADERS_OMITTED, "72");
	sent_free(sent);
}

Test(sent, texts_are_cut_between_characters)
{
	memset(large, 'x', sizeof(large));
	memcpy(large + 511, "\xc3\xa4", 2);
	struct outgoing_header headers[HEADERS] = {
		{ DEAD_LETTER_CONTEXT "topic", "a", 1 },
		{ DEAD_LETTER_CONTEXT "partition", "0", 1 },
		{ DEAD_LETTER_CONTEXT "offset", "7", 1 },
		{ DEAD_LETTER_CONTEXT "exception.class.name", "INVALID", 7 },
		{ DEAD_LETTER_CONTEXT "exception.message", large, sizeof(large) },
	};
	struct sent *sent = make(NULL, headers);
	sent_drop_key(sent, -1);
	large[511] = '\0';
	expect(sent, DEAD_LETTER_CONTEXT "exception.message", large);
	expect(sent, DEAD_LETTER_KEY_OMITTED, NULL);
	expect(sent, DEAD_LETTER_HEADERS_OMITTED, NULL);
	cr_assert_eq(sent->partition, -1);
	sent_free(sent);
}
