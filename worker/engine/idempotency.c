/* idempotency.c - the keys of a batch's writes: reads, claims and saves them */
#include "worker/engine/idempotency.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/core/keys.h"
#include "schemas/avro/encode.h"
#include "worker/engine/reply.h"

#define KEYS_EXPECTED 64

/* --- reading --- */

/* The digest is over the request as this release encodes it. So a client that was upgraded between two
 * attempts still sends the same request. */
static void digest_request(struct job *job, struct arena *arena)
{
	const struct call *call = &job->calls[0];
	struct buffer buffer = { 0 };
	char why[256];
	if (encode(&buffer, call->request_type, call->request, why, sizeof(why)) != ENCODE_OK)
		job_refuse(job, arena, FAILURE_INTERNAL, "REQUEST_NOT_ENCODED",
			"a defect of stowage: the request can't be encoded again: %s", why);
	else if (!SHA256(buffer.data, buffer.size, job->key->digest))
		abort();
	buffer_free(&buffer);
}

void idempotency_read(struct job *job, const struct engine *engine, struct arena *arena)
{
	const struct headers *headers = &job->headers;
	bool own = headers->idempotency_key.bytes != NULL;
	struct header_text key = own ? headers->idempotency_key : headers->event_id;
	struct header_text source = own ? (struct header_text){ "", 0 } : headers->event_source;
	if (!job_is_write(job) || !key.bytes || !source.bytes)
		return;
	const char *tenant = job->calls[0].schema;
	job->key = arena_calloc(arena, 1, sizeof(*job->key));
	*job->key = (struct idempotency_key){
		.schema = tenant ? tenant : engine->config->postgres.schema_name,
		.source = arena_copy(arena, source.bytes, source.size),
		.source_size = source.size,
		.key = arena_copy(arena, key.bytes, key.size),
		.key_size = key.size,
		.command = job->calls[0].command->name,
	};
	digest_request(job, arena);
}

bool idempotency_enter(struct batch *batch, const struct job *job)
{
	const struct idempotency_key *key = job->key;
	if (!key)
		return true;
	if (!batch->entered)
		batch->entered = keys_new(batch->arena, KEYS_EXPECTED);
	/* None of the texts has a NUL, so a NUL between them makes the three unique. */
	size_t schema = strlen(key->schema) + 1, source = key->source_size;
	size_t size = schema + source + 1 + key->key_size;
	char *whole = arena_alloc(batch->arena, size);
	memcpy(whole, key->schema, schema);
	memcpy(whole + schema, key->source, source);
	whole[schema + source] = '\0';
	memcpy(whole + schema + source + 1, key->key, key->key_size);
	struct datum text = datum_text(whole, (uint32_t)size);
	uint32_t before = keys_count(batch->entered);
	return keys_add(batch->entered, &text) == before;
}

/* --- claiming --- */

static struct idempotency_table table_of(const struct transaction *transaction)
{
	const struct config *config = transaction->engine->config;
	return (struct idempotency_table){
		.schema = transaction->table.schema,
		.params = transaction->table.params,
		.keep_ms = config->idempotency.keep_ms,
	};
}

static void claimed_keys(struct batch *batch)
{
	batch->key_count = 0;
	if (!batch->entered)
		return;
	/* Of each attempt: what a failed attempt allocated is gone. */
	batch->keys = arena_calloc(batch->arena, batch->job_count, sizeof(*batch->keys));
	for (size_t i = 0; i < batch->job_count; i++) {
		struct job *job = &batch->jobs[i];
		if (!job->key || job->refused || job->disposition == DISPOSITION_SKIP)
			continue;
		job->key->state = IDEMPOTENCY_NEW;
		job->key->reply = NULL;
		job->key->pending = false;
		batch->keys[batch->key_count++] = job->key;
	}
}

static void key_found(void *arg, struct idempotency_key *key, enum idempotency_state state,
	const char *command, size_t command_size, const void *reply, size_t reply_size)
{
	const struct batch *batch = arg;
	key->state = state;
	if (state == IDEMPOTENCY_OTHER)
		key->other = arena_copy(batch->arena, command, command_size);
	if (state != IDEMPOTENCY_REPLIED)
		return;
	key->reply = arena_copy(batch->arena, reply, reply_size);
	key->reply_size = reply_size;
}

static int compare_schemas(const void *a, const void *b)
{
	const struct idempotency_key *const *one = a, *const *other = b;
	return strcmp((*one)->schema, (*other)->schema);
}

/* How many of the keys, which are sorted by schema, have the first one's schema. */
static size_t keys_of_schema(struct idempotency_key *const *keys, size_t count)
{
	size_t same = 1;
	while (same < count && strcmp(keys[same]->schema, keys[0]->schema) == 0)
		same++;
	return same;
}

/* Schema by schema in the order of their names, so that two batches cannot deadlock. */
bool idempotency_claim(const struct transaction *transaction, struct batch *batch, bool take)
{
	claimed_keys(batch);
	if (!batch->key_count)
		return false;
	struct idempotency_table table = table_of(transaction);
	qsort(batch->keys, batch->key_count, sizeof(struct idempotency_key *), compare_schemas);
	for (size_t i = 0, n; i < batch->key_count; i += n) {
		struct idempotency_found *found = arena_alloc(batch->arena, sizeof(*found));
		*found = (struct idempotency_found){ key_found, batch, NULL };
		n = keys_of_schema(batch->keys + i, batch->key_count - i);
		idempotency_rows_claim(transaction->connection, &table, batch->keys + i, n, take,
			found);
	}
	return true;
}

/* The error belongs to this attempt: the next one claims the key again. */
static void fail_other(struct job *job, struct arena *arena)
{
	const struct idempotency_key *key = job->key;
	bool same = strcmp(key->other, key->command) == 0;
	job_fail(job, arena, FAILURE_CONFLICT, "IDEMPOTENCY_KEY_REUSED",
		"%s has the idempotency key already%s: send a new key with each new command",
		key->other, same ? ", with another request" : "");
}

void idempotency_claimed(struct batch *batch)
{
	for (size_t i = 0; i < batch->job_count; i++) {
		struct job *job = &batch->jobs[i];
		if (!job->key || job->refused || job->disposition == DISPOSITION_SKIP)
			continue;
		if (job->key->state == IDEMPOTENCY_OTHER)
			fail_other(job, batch->arena);
		for (size_t c = 0; c < job->call_count; c++) {
			job->calls[c].repeated = job->key->state == IDEMPOTENCY_PENDING;
			if (job->key->state == IDEMPOTENCY_REPLIED)
				job->calls[c].state = CALL_DONE;
		}
	}
}

/* --- saving --- */

static void settle_key(const struct job *job)
{
	struct idempotency_key *key = job->key;
	const struct call *result = job_result(job);
	if (result->state == CALL_DEFERRED)
		key->pending = true;
	if (result->state != CALL_DONE)
		return;
	key->reply = result->reply;
	key->reply_size = result->reply_size;
}

void idempotency_save(const struct transaction *transaction, struct batch *batch)
{
	size_t taken = 0;
	for (size_t i = 0; batch->key_count && i < batch->job_count; i++) {
		const struct job *job = &batch->jobs[i];
		if (job->key && !job->refused && job->key->state == IDEMPOTENCY_NEW)
			settle_key(job);
	}
	for (size_t i = 0; i < batch->key_count; i++)
		if (batch->keys[i]->state == IDEMPOTENCY_NEW)
			batch->keys[taken++] = batch->keys[i];
	struct idempotency_table table = table_of(transaction);
	for (size_t i = 0, n; i < taken; i += n) {
		n = keys_of_schema(batch->keys + i, taken - i);
		idempotency_rows_save(transaction->connection, &table, batch->keys + i, n);
	}
}
