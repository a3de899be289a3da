/*
 * build_rows.h - the worker's own rows: requested index builds
 *
 * Calls the functions on stowage_vector_builds (db/ddl/stowage_builds.sql documents them). Each call commits on
 * its own and blocks. SQL decides what a build does: the callers only see its id and the statements to
 * run.
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
	const char *owner; /* this builder's name, different at each start */
	int lease_seconds;
};

/* A build that this owner has claimed. */
struct build_row {
	bool found;
	int64_t id, token;
	int attempts;
	char schema[64], index[64];
};

/* Claims a waiting build, or one whose lease expired. */
enum db_kind build_rows_claim(const struct build_table *table, struct build_row *build,
	struct db_failure *failure) __attribute__((warn_unused_result));

/* A build's last known progress. */
struct build_progress {
	bool ours; /* false: another owner claimed the build, or it was cancelled */
	char phase[64];
	int64_t done, total; /* -1: unknown */
};

/* Extends the lease and stores the progress. */
enum db_kind build_rows_renew(const struct build_table *table, const struct build_row *build,
	struct build_progress *progress, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* Returns a query for the build's next statement; the caller frees it. The query's value is a statement,
 * or NULL if the build is done. With `leftovers` it only drops what a failed build left invalid. */
char *build_rows_step(const struct build_table *table, const struct build_row *build,
	bool leftovers);
/* Returns the statement that lets the build wait for another owner, for the build's own session. The caller
 * frees it. */
char *build_rows_leave(const struct build_table *table, const struct build_row *build);

/* How a build ended. */
struct build_end {
	const char *state;    /* done, failed, waiting */
	int64_t retry_ms;     /* waiting: the delay before the next attempt */
	const char *category; /* failed: category and code; message also for waiting. NULL: none */
	const char *code;
	const char *message;
};
/* Ends the build, or lets it wait for a retry. *ours: this owner still had it. */
enum db_kind build_rows_end(const struct build_table *table, const struct build_row *build,
	const struct build_end *end, bool *ours, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* An ended build whose replies this owner sends. */
struct build_answers {
	int64_t id, token;
	const char *state, *category, *code, *error; /* NULL: none */
	const void *waiters;
	size_t size;
};
typedef void build_rows_answers_fn(void *arg, const struct build_answers *answers);
/* Claims replies of one ended build, a bounded number at a time, and calls `each` with them, if there is
 * such a build. */
enum db_kind build_rows_answers(const struct build_table *table, build_rows_answers_fn *each,
	void *arg, struct db_failure *failure) __attribute__((warn_unused_result));

/* seconds < 0: Kafka acknowledged the replies. Else extends their lease by this many seconds. */
enum db_kind build_rows_answered(const struct build_table *table, int64_t id, int64_t token,
	int seconds, struct db_failure *failure) __attribute__((warn_unused_result));

#endif
