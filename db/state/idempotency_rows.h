/*
 * idempotency_rows.h - the worker's own rows: keys of applied writes, and their first replies
 *
 * Calls the functions on stowage_idempotency (db/ddl/stowage.sql documents them). A key is (schema, source,
 * key): `source` is CloudEvents' ce_source, or empty for the header idempotency-key.
 *
 * claim and save only send: connection_drain reports their failures. expire waits for the result. One
 * thread at a time.
 */
#ifndef DB_STATE_IDEMPOTENCY_ROWS_H
#define DB_STATE_IDEMPOTENCY_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/connection/connection.h"

#define IDEMPOTENCY_DIGEST_SIZE 32

/* What the database knows of a key. */
enum idempotency_state {
	IDEMPOTENCY_NEW,     /* nothing: the command runs, and the transaction holds the key */
	IDEMPOTENCY_REPLIED, /* the same command was applied, and its reply is there */
	IDEMPOTENCY_PENDING, /* the same command was applied, and another thread replies to it */
	IDEMPOTENCY_OTHER,   /* another command has it */
};

struct idempotency_key {
	const char *schema;       /* which it belongs to */
	const char *source, *key; /* UTF-8 without NUL */
	size_t source_size, key_size;
	const char *command;
	unsigned char digest[IDEMPOTENCY_DIGEST_SIZE]; /* of the request */
	enum idempotency_state state;
	const char *other; /* OTHER: that command's name */
	const void *reply; /* REPLIED: the framed reply. NEW: set it before saving; NULL: forget
	                         the key, the command failed or did not run */
	size_t reply_size;
	bool pending; /* NEW: set it before saving if another thread replies */
};

/* Receives a known key; command and reply point into the rows. */
typedef void idempotency_found_fn(void *arg, struct idempotency_key *key,
	enum idempotency_state state, const char *command, size_t command_size, const void *reply,
	size_t reply_size);
struct idempotency_found {
	idempotency_found_fn *each;
	void *arg;
	struct idempotency_key *const *keys; /* claim sets it: the keys that it was given */
};

struct idempotency_table {
	const char *schema;    /* of the worker's own tables */
	struct params *params; /* scratch */
	int64_t keep_ms;       /* an older key counts as unknown */
};

/* Sends the claim of all keys, which must be of one schema. `claim`: the transaction takes the unknown
 * ones, and waits for other transactions that hold them. Otherwise it only looks. Calls found->each for
 * each known key; `found` must live until the connection is drained. */
void idempotency_rows_claim(struct connection *connection, const struct idempotency_table *table,
	struct idempotency_key *const *keys, size_t count, bool claim,
	struct idempotency_found *found);

/* Sends what became of the NEW keys, which must be of one schema: stores their replies, and forgets
 * keys without one. */
void idempotency_rows_save(struct connection *connection, const struct idempotency_table *table,
	struct idempotency_key *const *keys, size_t count);

/* Deletes up to `most` keys of any schema that are older than keep_ms. Skips locked ones. */
enum db_kind idempotency_rows_expire(struct connection *connection,
	const struct idempotency_table *table, int64_t most, int64_t *deleted,
	struct db_failure *failure) __attribute__((warn_unused_result));

#endif
