/*
 * lane_rows.h - the worker's own rows: where each lane stands, and replies not yet delivered
 *
 * Statements on stowage_offsets and stowage_outbox (db/ddl/stowage.sql), sent on a connection's
 * pipeline. They say nothing of Kafka but names and numbers. A lane is (group, topic,
 * partition); `applied` is its next offset whose effect is not in yet, `answered` its lowest
 * offset whose reply is not delivered.
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
	int64_t expected; /* applied, as this worker last wrote it */
	int64_t applied;  /* to write */
	int64_t answered; /* to write */
};

/* Statements of one group in one schema; borrowed strings. */
struct lane_table {
	const char *schema;
	const char *group;
	struct params *params; /* scratch */
};

/* BEGIN and the fence: fails with DB_FENCED if a lane is not ours or not where we left it; the
 * failure's detail holds the ordinals of the lanes at fault. Sets LOCAL time-outs. */
void lane_rows_begin(struct connection *connection, const struct lane_table *table,
	const struct lane_row *rows, size_t count, int64_t lock_timeout_ms);

/* Ordinals in a fence's detail ("0,3"): true if `ordinal` is among them, or it holds none. */
bool lane_rows_fenced(const char *detail, size_t ordinal);

/* Writes applied and answered of all rows. */
void lane_rows_advance(struct connection *connection, const struct lane_table *table,
	const struct lane_row *rows, size_t count);

/* Stores replies under `seq`; deletes the ones whose seq Kafka has acknowledged. */
void lane_rows_store(struct connection *connection, const struct lane_table *table,
	const struct lane_row *row, int64_t seq, const void *payload, size_t size);
void lane_rows_delete(struct connection *connection, const struct lane_table *table,
	const struct lane_row *row, const int64_t *seqs, size_t count);

/* What stowage_claim returned. */
struct lane_claimed {
	bool found; /* false: no row, and no offset to start one from */
	int64_t epoch, applied, answered;
	char topic_id[64];
	int32_t claims;       /* times taken in a row without progress, this one included */
	int32_t crash_count;  /* times begun alone at crash_offset without an end */
	int64_t crash_offset; /* -1: none */
};

/* Raises the epoch and returns the row; start: offset for a lane that has no row yet, -1 for
 * none. A row of another topic id is returned as it is. Waits wait_ms for the transaction of a
 * worker that had the lane before; then DB_CONTEND: lane_rows_unblock, and again. */
enum db_kind lane_rows_claim(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, const char *topic_id, int64_t start, int64_t wait_ms,
	struct lane_claimed *claimed, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* Ends the backend whose transaction holds the lane's row, which its xmax tells. */
enum db_kind lane_rows_unblock(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* Counts one attempt of a command that runs alone, before it runs, in a transaction of its own. */
enum db_kind lane_rows_count_crash(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, int64_t epoch, int64_t offset,
	struct db_failure *failure) __attribute__((warn_unused_result));

/* Walks the stored replies of a lane in order of seq. */
typedef void lane_rows_outbox_fn(void *arg, int64_t seq, const void *payload, size_t size);
enum db_kind lane_rows_outbox(struct connection *connection, const struct lane_table *table,
	const char *topic, int32_t partition, lane_rows_outbox_fn *each, void *arg,
	struct db_failure *failure) __attribute__((warn_unused_result));

#endif
