/*
 * decode_fuzz.c - decodes arbitrary bytes as a message, and encodes the result again
 *
 * As a plain test, it replays the given files and then damages valid messages of every command,
 * from a fixed seed. corpus/decode has the files that a fuzzer found. `decode_fuzz --seeds DIR` writes
 * valid messages as an initial corpus. The preset fuzz makes a libFuzzer target of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/avro/decode.h"
#include "schemas/avro/encode.h"
#include "schemas/avro/framing.h"
#include "schemas/base/alloc.h"
#include "schemas/catalog/catalog.h"
#include "schemas/catalog/schema_table.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/random_datum.h"

#define MESSAGE_MAXIMUM ((size_t)1024 * 1024)
#define DAMAGES_PER_COMMAND 2000

static const struct decode_limits limits = {
	.message_bytes = MESSAGE_MAXIMUM,
	.string_bytes = 65536,
	.array_items = 1000,
	.depth = 16,
	.json_depth = 64,
};

static struct catalog *catalog; /* created once, for all calls of the fuzz target */

static void prepare(void)
{
	char error[512];
	if (!catalog)
		catalog = catalog_new(NULL, error, sizeof(error));
	if (!catalog)
		fuzz_stop("catalog", error);
}

/* Encodes the decoded datum, and checks that decoding and encoding again gives the same bytes. */
static void check_round(const struct catalog_schema *schema, const struct datum *datum,
	struct arena *arena)
{
	char reason[256];
	struct decode_error error;
	struct datum again;
	struct decode_limits wide = limits; /* defaults and blocks may make the message larger */
	struct buffer first = buffer_empty(64 * MESSAGE_MAXIMUM),
		      second = buffer_empty(64 * MESSAGE_MAXIMUM);
	wide.message_bytes = first.maximum;
	if (encode(&first, schema->type, datum, reason, sizeof(reason)) != ENCODE_OK)
		fuzz_stop("encode", reason);
	if (!decode(schema->plan, first.data, first.size, &wide, arena, &again, &error))
		fuzz_stop("decode again", error.message);
	if (encode(&second, schema->type, &again, reason, sizeof(reason)) != ENCODE_OK)
		fuzz_stop("encode again", reason);
	if (first.size != second.size ||
		(first.size && memcmp(first.data, second.data, first.size) != 0))
		fuzz_stop("encode again", "other bytes");
	buffer_free(&first);
	buffer_free(&second);
}

/* If the fingerprint is not known, the first byte chooses a command and the rest is its datum. So a
 * fuzzer need not guess fingerprints. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	prepare();
	struct framing framing = framing_parse(bytes, size);
	const struct catalog_writer *writer = catalog_find_framed(catalog, &framing);
	if (!writer && size) {
		int command = bytes[0] % (int)schema_count;
		writer = catalog_find(catalog, catalog_request(catalog, command)->fingerprint);
		framing.datum = bytes + 1;
		framing.datum_size = size - 1;
	}
	if (!writer)
		return 0;
	struct arena *arena = arena_new(0);
	struct decode_error error;
	struct datum datum;
	if (decode(writer->plan, framing.datum, framing.datum_size, &limits, arena, &datum, &error))
		check_round(catalog_request(catalog, writer->command), &datum, arena);
	else if (!error.code || !*error.message)
		fuzz_stop("decode", "an error without a reason");
	arena_free(arena);
	return 0;
}

#ifndef FUZZER
static void make_message(struct random *random, int command, struct buffer *out)
{
	const struct catalog_schema *schema = catalog_request(catalog, command);
	struct arena *arena = arena_new(0);
	struct datum datum = random_datum(random, arena, schema->type);
	char reason[256];
	buffer_clear(out);
	framing_write(out, schema->fingerprint);
	if (encode(out, schema->type, &datum, reason, sizeof(reason)) != ENCODE_OK)
		fuzz_stop(schema_defs[command].command, reason);
	arena_free(arena);
}

/* Copies the bytes to a block of exactly their size, so that AddressSanitizer detects overruns. */
static void run_exactly(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = allocate(size);
	if (size)
		memcpy(copy, bytes, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_damaged(void)
{
	struct buffer message = buffer_empty(MESSAGE_MAXIMUM);
	for (size_t command = 0; command < schema_count; command++) {
		struct random random = random_seed(command + 1);
		for (int i = 0; i < DAMAGES_PER_COMMAND; i++) {
			make_message(&random, (int)command, &message);
			size_t header = i % 8 ? FRAMING_SINGLE_OBJECT_SIZE : 0,
			       whole = message.size, size = whole - header;
			buffer_extend(&message, 16);
			random_damage(&random, message.data + header, &size);
			run_exactly(message.data, header + size);
		}
	}
	buffer_free(&message);
}

static void run_file(const char *path)
{
	uint8_t *bytes = allocate(MESSAGE_MAXIMUM);
	FILE *file = fopen(path, "rbe");
	if (!file)
		fuzz_stop(path, "can't be opened");
	size_t size = fread(bytes, 1, MESSAGE_MAXIMUM, file);
	fclose(file);
	run_exactly(bytes, size);
	free(bytes);
}

static void write_seeds(const char *directory)
{
	struct buffer message = buffer_empty(MESSAGE_MAXIMUM);
	for (size_t command = 0; command < schema_count; command++) {
		char path[4096];
		struct random random = random_seed(command + 1);
		make_message(&random, (int)command, &message);
		snprintf(path, sizeof(path), "%s/%s", directory, schema_defs[command].command);
		FILE *file = fopen(path, "wbe");
		if (!file || fwrite(message.data, 1, message.size, file) != message.size ||
			fclose(file) != 0)
			fuzz_stop(path, "can't be written");
	}
	buffer_free(&message);
}

int main(int count, char **arguments)
{
	prepare();
	if (count == 3 && strcmp(arguments[1], "--seeds") == 0) {
		write_seeds(arguments[2]);
	} else {
		for (int i = 1; i < count; i++)
			run_file(arguments[i]);
		run_damaged();
		/* Printed only if all passed. tests/run counts tests by this line. */
		printf("[====] Synthesis: Tested: %d | Passing: %d | Failing: 0 | Crashing: 0\n",
			count, count);
	}
	catalog_free(catalog);
	return 0;
}
#endif
