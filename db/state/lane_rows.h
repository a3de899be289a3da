/*
 * lane_rows.h - the worker's own rows: each lane's offsets, and the replies not yet delivered
 *
 * Statements on stowage_offsets and stowage_outbox (db/ddl/stowage.sql). A lane is (group, topic,
 * partition). `applied` is the lane's next offset to apply; `answered` is its lowest offset whose reply
 * Kafka has not acknowledged.
 *
 * begin, advance, store and delete only send: connection_drain reports their failures. The functions
 * that return a db_kind wait for the result, outside of a batch. One thread at a time.
 */
#ifndef DB_STATE_LANE_ROWS_H
#define DB_STATE_LANE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/connection/connection.h"

struct lane_row {
	const char *topic;
	int32_t partition;
	int64_t epoch;
	int64_t expected; /* `applied` as this worker last wrote it; the fence compares it */
	int64_t applied;  /* the new value */
	int64_t answered; /* the new value */
};

/* The schema and the group of the statements. Borrowed strings. */
struct lane_table {
	const char *schema;
	const char *group;
	struct params *params; /* scratch */
};

/* Sends BEGIN and the fence. The fence fails with DB_FENCED if another worker claimed a lane or moved its
 * offset; the failure's detail lists the ordinals of these lanes. The limits hold for the transaction. */
void lane_rows_begin(struct connection *connection, const struct lane_table *table,
	const struct lane_row *rows, size_t count, struct statement_limits limits);

/* Does a fence's detail ("0,3") list this ordinal? Also true if the detail lists none. */
bool lane_rows_fenced(const char *detail, size_t ordinal);

/* Writes `applied` and `answered` of all rows. */
void lane_rows_advance(struct connection *connection, const struct lane_table *table,
	const struct lane_row *rows, size_t count);

/* Stores a reply under `seq`. Deletes the replies that Kafka has acknowledged, by their seq. */
void lane_rows_store(struct connection *connection, const struct lane_table *table,
	const struct lane_row *row, int64_t seq, const void *payload, size_t size);
void lane_rows_delete(struct connection *connection, const struct lane_table *table,
	const struct lane_row *row, const int64_t *seqs, size_t count);

/* What stowage_claim returned. */
struct lane_claimed {
	bool found; /* false: there is no row, and no start offset was given */
	int64_t epoch, applied, answered;
	char topic_id[64];
	int32_t claims;      /* claims since `answered` last moved, this one included */
	int32_t crash_count; /* how often the command at crash_offset began alone and did not end */
	int64_t crash_offset; /* -1: none */
};

/* Raises the epoch and returns the row. `start` is the offset of a lane without a row; -1: creates no
 * row. A row with another topic id keeps its epoch. Waits up to wait_ms for the transaction of the
 * previous owner; then returns DB_CONTEND, and the caller calls lane_rows_unblock and retries. */
enum db_kind lane_rows_claim(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, const char *topic_id, int64_t start, int64_t wait_ms,
	struct lane_claimed *claimed, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* Terminates the backend whose transaction holds the lane's row, found by the row's xmax. */
enum db_kind lane_rows_unblock(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* Writes how many runs of the command at the offset crashed, one that is about to begin included. Commits
 * at once. */
enum db_kind lane_rows_count_crash(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, int64_t epoch, int64_t offset, int32_t crashes,
	struct db_failure *failure) __attribute__((warn_unused_result));

/* Nothing waits in the lane: the claims so far are no sign of a crash. Commits at once. */
enum db_kind lane_rows_forget_claims(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, int64_t epoch, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* Calls `each` with a lane's stored replies in the order of seq. */
typedef void lane_rows_outbox_fn(void *arg, int64_t seq, const void *payload, size_t size);
enum db_kind lane_rows_outbox(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, lane_rows_outbox_fn *each, void *arg,
	struct db_failure *failure) __attribute__((warn_unused_result));

#endif
