/* encode.c - encodes a JSON request by the schemas that `stowage schemas` writes */
#include "encode.h"

#include <avro.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define HEADER_SIZE 10
#define MAX_VALUE 1048576 /* a broker's default limit */

struct encoder {
	avro_schema_t schema;
	avro_value_iface_t *class;
	avro_value_t request;
	avro_writer_t writer;
	char value[MAX_VALUE];
};

static void check(int status)
{
	if (status != 0)
		die("avro: %s", avro_strerror());
}

static json_t *read_json(const char *path)
{
	json_error_t error;
	json_t *json = json_load_file(path, 0, &error);

	if (json == NULL)
		die("%s: %s", path, error.text);
	return json;
}

static const json_t *find_command(const json_t *index, const char *command)
{
	size_t i;
	json_t *entry;

	json_array_foreach(index, i, entry) {
		const char *name = json_string_value(json_object_get(entry, "command"));
		if (name != NULL && strcmp(name, command) == 0)
			return entry;
	}
	die("index.json has no command %s", command);
}

static avro_schema_t read_schema(const char *path)
{
	json_t *json = read_json(path);
	char *text = json_dumps(json, JSON_COMPACT);
	avro_schema_t schema;

	check(avro_schema_from_json_length(text, strlen(text), &schema));
	free(text);
	json_decref(json);
	return schema;
}

/* C3 01 and the fingerprint: index.json has the most significant digit first, the encoding the least
 * significant byte. */
static void write_header(char *out, const char *fingerprint)
{
	char *end;
	unsigned long long value = strtoull(fingerprint, &end, 16);

	if (end != fingerprint + 16 || *end != '\0')
		die("'%s' is no fingerprint", fingerprint);
	out[0] = (char)0xc3;
	out[1] = 1;
	for (int i = 0; i < 8; i++)
		out[2 + i] = (char)(value >> (8 * i));
}

struct encoder *encoder_open(const char *directory, const char *command)
{
	struct encoder *encoder = calloc(1, sizeof *encoder);
	char path[4096];

	snprintf(path, sizeof path, "%s/index.json", directory);
	json_t *index = read_json(path);
	const json_t *entry = find_command(index, command);
	snprintf(path, sizeof path, "%s/%s", directory,
		json_string_value(json_object_get(entry, "request")));
	encoder->schema = read_schema(path);
	write_header(encoder->value,
		json_string_value(json_object_get(entry, "requestFingerprint")));
	json_decref(index);

	encoder->class = avro_generic_class_from_schema(encoder->schema);
	if (encoder->class == NULL)
		die("avro: %s", avro_strerror());
	check(avro_generic_value_new(encoder->class, &encoder->request));
	encoder->writer = avro_writer_memory(encoder->value + HEADER_SIZE, MAX_VALUE - HEADER_SIZE);
	return encoder;
}

void encoder_close(struct encoder *encoder)
{
	avro_writer_free(encoder->writer);
	avro_value_decref(&encoder->request);
	avro_value_iface_decref(encoder->class);
	avro_schema_decref(encoder->schema);
	free(encoder);
}

static void fill(avro_value_t *out, const json_t *json);

static void fill_record(avro_value_t *out, const json_t *json)
{
	size_t count;

	check(avro_value_get_size(out, &count));
	for (size_t i = 0; i < count; i++) {
		avro_value_t field;
		const char *name;
		check(avro_value_get_by_index(out, i, &field, &name));
		fill(&field, json_object_get(json, name));
	}
}

static void fill_array(avro_value_t *out, const json_t *json)
{
	size_t i;
	json_t *item;

	json_array_foreach(json, i, item) {
		avro_value_t element;
		check(avro_value_append(out, &element, NULL));
		fill(&element, item);
	}
}

/* In every union of the schemas, null is the first branch and the type the second. */
static void fill_union(avro_value_t *out, const json_t *json)
{
	avro_value_t branch;
	int given = json != NULL && !json_is_null(json);

	check(avro_value_set_branch(out, given, &branch));
	if (given)
		fill(&branch, json);
	else
		check(avro_value_set_null(&branch));
}

/* The schema's depth bounds the recursion. */
static void fill(avro_value_t *out, const json_t *json)
{
	avro_type_t type = avro_value_get_type(out);

	switch (type) {
	case AVRO_UNION:
		fill_union(out, json);
		break;
	case AVRO_RECORD:
		fill_record(out, json);
		break;
	case AVRO_ARRAY:
		fill_array(out, json);
		break;
	case AVRO_STRING:
		if (!json_is_string(json))
			die("a string is missing");
		check(avro_value_set_string_len(out, json_string_value(json),
			json_string_length(json) + 1));
		break;
	case AVRO_INT64:
		check(avro_value_set_long(out, json_integer_value(json)));
		break;
	case AVRO_INT32:
		check(avro_value_set_int(out, (int32_t)json_integer_value(json)));
		break;
	case AVRO_FLOAT:
		check(avro_value_set_float(out, (float)json_number_value(json)));
		break;
	case AVRO_BOOLEAN:
		check(avro_value_set_boolean(out, json_is_true(json)));
		break;
	default:
		die("a field of a type that the benchmark does not fill: %d", (int)type);
	}
}

size_t encoder_encode(struct encoder *encoder, const json_t *request, const void **value)
{
	check(avro_value_reset(&encoder->request));
	fill(&encoder->request, request);
	avro_writer_reset(encoder->writer);
	check(avro_value_write(encoder->writer, &encoder->request));
	*value = encoder->value;
	return HEADER_SIZE + (size_t)avro_writer_tell(encoder->writer);
}
