/*
 * build_rows.h - the worker's own rows: index builds that were asked for
 *
 * Calls of the functions on stowage_vector_builds (db/ddl/stowage.sql, which says what is in
 * them), each in a transaction of its own. What a build wants is the database's matter: here it is
 * an id, and statements that come from there.
 *
 * One thread at a time.
 */
#ifndef DB_STATE_BUILD_ROWS_H
#define DB_STATE_BUILD_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/connection/connection.h"

struct build_table {
	struct connection *connection;
	struct params *params; /* scratch */
	const char *schema;
	const char *owner; /* this builder's name, another at each start */
	int lease_seconds;
};

/* A build that is this owner's. */
struct build_row {
	bool found;
	int64_t id, token;
	int attempts;
	char schema[64], index[64];
};

/* Takes one that waits, or whose owner is gone. */
enum db_kind build_rows_claim(const struct build_table *table, struct build_row *build,
	struct db_failure *failure) __attribute__((warn_unused_result));

/* How far it is, as last seen. */
struct build_progress {
	bool ours; /* false: it was taken away */
	char phase[64];
	int64_t done, total; /* -1: not known */
};

/* Keeps it and writes down its progress. */
enum db_kind build_rows_renew(const struct build_table *table, const struct build_row *build,
	struct build_progress *progress, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* The statement that asks what is to be done next, to be freed; `leftovers`: only what is left of
 * a build that can't be done. Its value is a statement, or NULL. */
char *build_rows_step(const struct build_table *table, const struct build_row *build,
	bool leftovers);

/* How a build ended. */
struct build_end {
	const char *state;    /* done, failed, waiting */
	int64_t retry_ms;     /* of waiting */
	const char *category; /* of failed; the message also of waiting. NULL: none */
	const char *code;
	const char *message;
};
/* *ours: it still was this owner's. */
enum db_kind build_rows_end(const struct build_table *table, const struct build_row *build,
	const struct build_end *end, bool *ours, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* Takes the answers of an ended build to send; `each` is called once with the row. */
struct build_answers {
	int64_t id, token;
	const char *state, *category, *code, *error; /* NULL where there is none */
	const void *waiters;
	size_t size;
};
typedef void build_rows_answers_fn(void *arg, const struct build_answers *answers);
enum db_kind build_rows_answers(const struct build_table *table, build_rows_answers_fn *each,
	void *arg, struct db_failure *failure) __attribute__((warn_unused_result));

/* They are sent (seconds < 0), or stay this owner's for so long. */
enum db_kind build_rows_answered(const struct build_table *table, int64_t id, int64_t token,
	int seconds, struct db_failure *failure) __attribute__((warn_unused_result));

#endif
