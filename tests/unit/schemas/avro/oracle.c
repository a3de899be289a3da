/*
 * oracle.c - compares encode.c and decode.c with avro-c, for the schemas of all commands
 *
 * The tests use random datums. Each library must read what the other writes, and both must write
 * the same bytes. Another test removes fields from each schema, as in an older release.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "schemas/avro/decode.h"
#include "schemas/avro/encode.h"
#include "schemas/catalog/catalog.h"
#include "schemas/catalog/schema_table.h"
#include "tests/support/oracle.h"
#include "tests/support/random_datum.h"

#define ROUNDS 200
#define BYTES_MAXIMUM ((size_t)1024 * 1024)

static const struct decode_limits limits = { BYTES_MAXIMUM, BYTES_MAXIMUM, 10000, 32, 100 };

/* Every type in every position. */
static const char everything[] =
	"{\"type\":\"record\",\"name\":\"t.All\",\"fields\":["
	"{\"name\":\"nothing\",\"type\":\"null\"},{\"name\":\"boolean\",\"type\":\"boolean\"},"
	"{\"name\":\"int\",\"type\":\"int\"},{\"name\":\"long\",\"type\":[\"long\",\"null\"]},"
	"{\"name\":\"float\",\"type\":\"float\"},{\"name\":\"double\",\"type\":[\"null\",\"double\"]},"
	"{\"name\":\"bytes\",\"type\":\"bytes\"},{\"name\":\"string\",\"type\":\"string\"},"
	"{\"name\":\"json\",\"type\":{\"type\":\"string\",\"logicalType\":\"json\"}},"
	"{\"name\":\"map\",\"type\":{\"type\":\"map\",\"values\":[\"null\",{\"type\":\"array\",\"items\":\"double\"}]}},"
	"{\"name\":\"records\",\"type\":[\"null\",{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"In\",\"fields\":["
	"{\"name\":\"floats\",\"type\":{\"type\":\"array\",\"items\":\"float\"}},"
	"{\"name\":\"maps\",\"type\":{\"type\":\"map\",\"values\":\"bytes\"}}]}}]},"
	"{\"name\":\"again\",\"type\":[\"null\",\"In\"]}]}";

static void hold_one(struct oracle *oracle, const struct type *type, const struct plan *plan,
	struct random *random, const char *name)
{
	struct arena *arena = arena_new(0);
	struct buffer theirs = buffer_empty(BYTES_MAXIMUM), ours = buffer_empty(BYTES_MAXIMUM);
	struct datum made = random_datum(random, arena, type), read;
	struct decode_error error;
	char reason[256];
	cr_assert(oracle_encode(oracle, &made, &theirs), "%s: avro-c can't encode it", name);
	cr_assert_eq(encode(&ours, type, &made, reason, sizeof(reason)), ENCODE_OK, "%s: %s", name,
		reason);
	cr_assert_eq(theirs.size, ours.size, "%s", name);
	cr_assert(!ours.size || memcmp(theirs.data, ours.data, ours.size) == 0, "%s: other bytes",
		name);
	cr_assert(decode(plan, ours.data, ours.size, &limits, arena, &read, &error), "%s: %s", name,
		error.message);
	cr_assert(oracle_reads(oracle, ours.data, ours.size, &read),
		"%s: avro-c reads another datum", name);
	arena_free(arena);
	buffer_free(&theirs);
	buffer_free(&ours);
}

static void hold(const char *schema, const struct type *type, const struct plan *plan,
	const char *name)
{
	struct oracle *oracle = oracle_new(schema);
	struct random random = random_seed(strlen(schema));
	cr_assert_not_null(oracle, "%s", name);
	for (int i = 0; i < ROUNDS; i++)
		hold_one(oracle, type, plan, &random, name);
	oracle_free(oracle);
}

Test(oracle, every_type)
{
	char error[256];
	struct arena *arena = arena_new(0);
	const struct type *type = type_compile(arena, everything, strlen(everything), error,
		sizeof(error));
	cr_assert_not_null(type, "%s", error);
	const struct plan *plan = plan_new(arena, type, type, error, sizeof(error));
	cr_assert_not_null(plan, "%s", error);
	hold(everything, type, plan, "t.All");
	arena_free(arena);
}

Test(oracle, every_command)
{
	char error[512];
	struct catalog *catalog = catalog_new(NULL, error, sizeof(error));
	cr_assert_not_null(catalog, "%s", error);
	for (size_t i = 0; i < schema_count; i++) {
		const struct catalog_schema *request = catalog_request(catalog, (int)i);
		const struct catalog_schema *reply = catalog_reply(catalog, (int)i);
		hold(request->text, request->type, request->plan, schema_defs[i].command);
		hold(reply->text, reply->type, reply->plan, schema_defs[i].command);
	}
	const struct catalog_schema *refusal = catalog_error(catalog);
	hold(refusal->text, refusal->type, refusal->plan, "mastra.Error");
	catalog_free(catalog);
}

/* Removes the fields that have a default from the schema, as if a later release had added them. */
static size_t remove_defaulted(json_t *record)
{
	json_t *fields = json_object_get(record, "fields");
	size_t removed = 0;
	for (size_t i = json_array_size(fields); i-- > 0;) {
		if (json_object_get(json_array_get(fields, i), "default")) {
			json_array_remove(fields, i);
			removed++;
		}
	}
	return removed;
}

static void hold_older(const struct catalog_schema *current, const char *name)
{
	char error[512];
	json_t *schema = json_loads(current->text, 0, NULL);
	size_t removed = remove_defaulted(schema);
	char *text = json_dumps(schema, JSON_COMPACT);
	struct arena *arena = arena_new(0);
	struct random random = random_seed(removed);
	const struct type *writer = type_compile(arena, text, strlen(text), error, sizeof(error));
	if (writer) { /* else a removed field had the definition of a record */
		const struct plan *plan = plan_new(arena, writer, current->type, error,
			sizeof(error));
		struct datum written = random_datum(&random, arena, writer), read;
		struct buffer bytes = buffer_empty(BYTES_MAXIMUM);
		struct decode_error problem;
		cr_assert_not_null(plan, "%s: %s", name, error);
		cr_assert_eq(encode(&bytes, writer, &written, error, sizeof(error)), ENCODE_OK);
		cr_assert(decode(plan, bytes.data, bytes.size, &limits, arena, &read, &problem),
			"%s: %s", name, problem.message);
		cr_assert_eq(read.size, current->type->field_count);
		cr_assert_eq(read.size - written.size, removed);
		struct buffer again = buffer_empty(BYTES_MAXIMUM);
		cr_assert_eq(encode(&again, current->type, &read, error, sizeof(error)), ENCODE_OK,
			"%s: %s", name, error);
		buffer_free(&again);
		buffer_free(&bytes);
	}
	arena_free(arena);
	free(text);
	json_decref(schema);
}

Test(oracle, every_command_of_an_older_writer)
{
	char error[512];
	struct catalog *catalog = catalog_new(NULL, error, sizeof(error));
	cr_assert_not_null(catalog, "%s", error);
	for (size_t i = 0; i < schema_count; i++)
		hold_older(catalog_request(catalog, (int)i), schema_defs[i].command);
	catalog_free(catalog);
}
