/* load.c - creates the commands of each kind and checks their replies */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "encode.h"
#include "workload.h"
#include "workload_spans.h"
#include "workload_vectors.h"

typedef json_t *make_fn(struct load *load, uint64_t i, struct command *out);

struct kind {
	const char *name, *command;
	make_fn *make;
};

struct load {
	const struct kind *kind;
	unsigned threads;
	struct encoder *encoder;
	/* only for spans: */
	uint64_t live;    /* traces that take turns */
	uint64_t tenants; /* 0: all spans are for the worker's own schema */
	const char *tenant;
	/* only for vectors: */
	struct workload_vectors *vectors;
	unsigned dimensions;
	uint64_t stored; /* queries ask for the vectors after these */
	const char *index;
	float *floats;
};

/* ---------------------------------------------------------------- messages and threads */

static void make_message(struct load *load, uint64_t i, struct workload_message *message,
	struct command *out)
{
	workload_message(message, i, load->threads);
	snprintf(out->key, sizeof out->key, "%s", message->thread_id);
	out->place = i % load->threads;
}

static json_t *save_messages(struct load *load, uint64_t i, struct command *out)
{
	struct workload_message message;

	make_message(load, i, &message, out);
	return json_pack("{s:[{s:s, s:s, s:s, s:s, s:s, s:s, s:I}]}", "messages", "id", message.id,
		"threadId", message.thread_id, "resourceId", message.resource_id, "role", "user",
		"type", "v2", "content", message.content, "createdAt",
		(json_int_t)message.created_ms);
}

static json_t *save_thread(struct load *load, uint64_t i, struct command *out)
{
	struct workload_message message;

	make_message(load, i, &message, out);
	json_int_t created = message.created_ms;
	return json_pack("{s:{s:s, s:s, s:s, s:I, s:I, s:s}}", "thread", "id", message.thread_id,
		"resourceId", message.resource_id, "title", "A thread of the benchmark",
		"createdAt", created, "updatedAt", created, "metadata", "{\"source\":\"bench\"}");
}

static json_t *get_thread(struct load *load, uint64_t i, struct command *out)
{
	struct workload_message message;

	make_message(load, i, &message, out);
	return json_pack("{s:s}", "threadId", message.thread_id);
}

/* ---------------------------------------------------------------- agents, datasets, experiments */

/* They have the ids of threads. */

static json_t *get_agent(struct load *load, uint64_t i, struct command *out)
{
	struct workload_message message;

	make_message(load, i, &message, out);
	return json_pack("{s:s}", "id", message.thread_id);
}

static json_t *make_item(uint64_t i, unsigned threads)
{
	struct workload_message message;

	workload_message(&message, i, threads);
	return json_pack("{s:s, s:s, s:s}", "input", message.content, "groundTruth",
		"{\"answer\":\"as many as there are\",\"sources\":[1,2,3]}", "metadata",
		"{\"source\":\"bench\"}");
}

static json_t *insert_items(struct load *load, uint64_t i, struct command *out)
{
	struct workload_message message;
	json_t *items = json_array();

	make_message(load, i, &message, out);
	for (uint64_t item = 0; item < LOAD_ITEMS_A_COMMAND; item++)
		json_array_append_new(items,
			make_item(i * LOAD_ITEMS_A_COMMAND + item, load->threads));
	return json_pack("{s:s, s:o}", "datasetId", message.thread_id, "items", items);
}

static json_t *add_result(struct load *load, uint64_t i, struct command *out)
{
	struct workload_message message;

	make_message(load, i, &message, out);
	json_int_t started = message.created_ms;
	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:I, s:I, s:i}", "id", message.id,
		"experimentId", message.thread_id, "itemId", message.id, "itemDatasetVersion", 1,
		"input", message.content, "output", message.content, "startedAt", started,
		"completedAt", started + 20, "retryCount", 0);
}

/* ---------------------------------------------------------------- spans */

static json_t *make_value(const struct workload_value *value)
{
	switch (value->kind) {
	case WORKLOAD_BOOL:
		return json_boolean(value->number);
	case WORKLOAD_TIME:
		return json_integer(value->number);
	case WORKLOAD_TEXTS:
		return value->text == NULL ? json_null()
					   : json_loadb(value->text, value->size, 0, NULL);
	default:
		return value->text == NULL ? json_null() : json_stringn(value->text, value->size);
	}
}

/* Span number i of a stream in which `live` traces take turns, one span each. */
static uint64_t take_turns(uint64_t i, uint64_t live)
{
	uint64_t round = live * WORKLOAD_SPANS_A_TRACE;
	uint64_t trace = i / round * live + i % live;

	return trace * WORKLOAD_SPANS_A_TRACE + i % round / live;
}

static json_t *create_span(struct load *load, uint64_t i, struct command *out)
{
	struct workload_span span;
	json_t *record = json_object();

	workload_span(&span, take_turns(i, load->live));
	snprintf(out->key, sizeof out->key, "%s", span.trace_id);
	out->place = span.trace;
	if (load->tenants > 0)
		snprintf(out->schema, sizeof out->schema, "%s%llu", load->tenant,
			(unsigned long long)(workload_mix(span.trace) % load->tenants));
	for (size_t j = 0; j < WORKLOAD_SPAN_VALUES; j++)
		json_object_set_new(record, span.values[j].name, make_value(&span.values[j]));
	return json_pack("{s:o}", "span", record);
}

/* ---------------------------------------------------------------- vectors */

static json_t *make_vector(struct load *load, uint64_t i)
{
	json_t *array = json_array();

	workload_vector(load->vectors, i, load->floats);
	for (unsigned j = 0; j < load->dimensions; j++)
		json_array_append_new(array, json_real((double)load->floats[j]));
	return array;
}

static json_t *upsert_vectors(struct load *load, uint64_t i, struct command *out)
{
	json_t *vectors = json_array(), *ids = json_array(), *metadata = json_array();
	uint64_t first = i * WORKLOAD_VECTORS_A_COMMAND;
	char id[WORKLOAD_VECTOR_ID], text[WORKLOAD_VECTOR_METADATA];

	workload_vector_id(out->key, first);
	out->place = i;
	for (uint64_t j = first; j < first + WORKLOAD_VECTORS_A_COMMAND; j++) {
		workload_vector_id(id, j);
		size_t size = workload_vector_metadata(text, j);
		json_array_append_new(vectors, make_vector(load, j));
		json_array_append_new(ids, json_string(id));
		json_array_append_new(metadata, json_stringn(text, size));
	}
	return json_pack("{s:s, s:o, s:o, s:o}", "indexName", load->index, "vectors", vectors,
		"ids", ids, "metadata", metadata);
}

static json_t *query_vectors(struct load *load, uint64_t i, struct command *out)
{
	workload_vector_id(out->key, load->stored + i);
	out->place = i;
	return json_pack("{s:s, s:o, s:i}", "indexName", load->index, "queryVector",
		make_vector(load, load->stored + i), "topK", WORKLOAD_VECTORS_TOP_K);
}

size_t load_found(const void *reply, size_t size, const char *ids[])
{
	const char *at = reply, *end = at + size;
	size_t count = 0;

	while (count < WORKLOAD_VECTORS_TOP_K &&
		(at = memmem(at, (size_t)(end - at), WORKLOAD_VECTOR_ID_PREFIX,
			 sizeof WORKLOAD_VECTOR_ID_PREFIX - 1)) != NULL) {
		ids[count++] = at;
		at += sizeof WORKLOAD_VECTOR_ID_PREFIX - 1;
	}
	return count;
}

/* ---------------------------------------------------------------- all kinds */

static const struct kind KINDS[] = {
	{ "saveMessages", "memory.saveMessages", save_messages },
	{ "saveThread", "memory.saveThread", save_thread },
	{ "getThreadById", "memory.getThreadById", get_thread },
	{ "getByIdResolved", "agents.getByIdResolved", get_agent },
	{ "batchInsertItems", "datasets.batchInsertItems", insert_items },
	{ "addExperimentResult", "experiments.addExperimentResult", add_result },
	{ "createSpan", "observability.createSpan", create_span },
	{ "upsert", "vectors.upsert", upsert_vectors },
	{ "query", "vectors.query", query_vectors },
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
		if (strcmp(KINDS[i].name, name) == 0)
			return &KINDS[i];
	}
	die("there is no kind '%s'", name);
}

static void open_vectors(struct load *load, int argc, char **argv)
{
	load->index = option(argc, argv, "index", NULL);
	load->stored = (uint64_t)option_number(argc, argv, "vectors", 0);
	load->dimensions = (unsigned)option_number(argc, argv, "dimensions", 0);
	load->vectors = workload_vectors_open(load->dimensions);
	load->floats = calloc(load->dimensions, sizeof *load->floats);
}

struct load *load_open(int argc, char **argv)
{
	struct load *load = calloc(1, sizeof *load);

	load->kind = find_kind(option(argc, argv, "kind", NULL));
	load->threads = (unsigned)option_number(argc, argv, "threads", 200);
	load->live = (uint64_t)option_number(argc, argv, "live", 1);
	load->tenants = (uint64_t)option_number(argc, argv, "tenants", 0);
	load->tenant = option(argc, argv, "tenant", "tenant");
	load->encoder = encoder_open(option(argc, argv, "schemas", NULL), load->kind->command);
	if (strncmp(load->kind->command, "vectors.", sizeof "vectors." - 1) == 0)
		open_vectors(load, argc, argv);
	return load;
}

void load_close(struct load *load)
{
	encoder_close(load->encoder);
	if (load->vectors != NULL)
		workload_vectors_close(load->vectors);
	free(load->floats);
	free(load);
}

unsigned load_distinct(const struct load *load)
{
	return load->threads;
}

void load_command(struct load *load, uint64_t i, struct command *out)
{
	out->schema[0] = '\0';
	json_t *request = load->kind->make(load, i, out);

	if (request == NULL)
		die("out of memory");
	out->size = encoder_encode(load->encoder, request, &out->value);
	json_decref(request);
}

bool load_answers(const struct load *load, const struct command *command, const void *reply,
	size_t size, bool echo)
{
	const char *ids[WORKLOAD_VECTORS_TOP_K];

	if (load->vectors == NULL)
		return memmem(reply, size, command->key, strlen(command->key)) != NULL;
	if (echo)
		return size == command->size && memcmp(reply, command->value, size) == 0;
	return load_found(reply, size, ids) == WORKLOAD_VECTORS_TOP_K;
}
