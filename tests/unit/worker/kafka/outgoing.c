/* What the outbox keeps comes out as it went in, and what is not ours is refused. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "worker/kafka/outgoing.h"

static struct outgoing_header headers[] = {
	{ "correlation-id", "\0\1\2", 3 },
	{ "empty", "", 0 },
	{ "null", NULL, 0 },
};

static struct outgoing letter = {
	.topic = "a.dlq",
	.partition = -1,
	.dead_letter = true,
	.key = "k\0y",
	.key_size = 3,
	.value = NULL,
	.timestamp_ms = 1767225600123,
	.headers = headers,
	.header_count = 3,
};

static struct outgoing reply = {
	.topic = "replies",
	.partition = 5,
	.key = NULL,
	.value = "",
	.value_size = 0,
};

Test(outgoing, comes_out_as_it_went_in)
{
	struct buffer buffer = { 0 };
	outgoing_write(&buffer, &letter);
	outgoing_write(&buffer, &reply);
	struct outgoing_reader reader;
	struct outgoing out;
	outgoing_reader_start(&reader, buffer.data, buffer.size);
	cr_assert(outgoing_read(&reader, &out));
	cr_assert_str_eq(out.topic, "a.dlq");
	cr_assert_eq(out.partition, -1);
	cr_assert(out.dead_letter);
	cr_assert_eq(out.key_size, 3);
	cr_assert_arr_eq(out.key, "k\0y", 3);
	cr_assert_null(out.value);
	cr_assert_eq(out.timestamp_ms, 1767225600123);
	cr_assert_eq(out.header_count, 3);
	cr_assert_arr_eq(out.headers[0].value, "\0\1\2", 3);
	cr_assert_not_null(out.headers[1].value);
	cr_assert_null(out.headers[2].value);
	cr_assert(outgoing_read(&reader, &out));
	cr_assert_str_eq(out.topic, "replies");
	cr_assert_eq(out.partition, 5);
	cr_assert_null(out.key);
	cr_assert_not_null(out.value, "an empty value is not a tombstone");
	cr_assert_not(outgoing_read(&reader, &out));
	cr_assert_not(reader.bad);
	outgoing_reader_end(&reader);
	buffer_free(&buffer);
}

Test(outgoing, every_cut_is_noticed)
{
	struct buffer buffer = { 0 };
	outgoing_write(&buffer, &letter);
	for (size_t size = 1; size < buffer.size; size++) {
		struct outgoing_reader reader;
		struct outgoing out;
		char *cut = malloc(size); /* of that size, so that a sanitizer sees a read beyond */
		memcpy(cut, buffer.data, size);
		outgoing_reader_start(&reader, cut, size);
		cr_assert_not(outgoing_read(&reader, &out), "cut at %zu", size);
		cr_assert(reader.bad);
		outgoing_reader_end(&reader);
		free(cut);
	}
	buffer_free(&buffer);
}

Test(outgoing, another_version_is_refused)
{
	struct buffer buffer = { 0 };
	outgoing_write(&buffer, &reply);
	buffer.data[0] = 99;
	struct outgoing_reader reader;
	struct outgoing out;
	outgoing_reader_start(&reader, buffer.data, buffer.size);
	cr_assert_not(outgoing_read(&reader, &out));
	cr_assert(reader.bad);
	outgoing_reader_end(&reader);
	buffer_free(&buffer);
}
