/*
 * reset_rows.h - the worker's own rows: where a group starts in topics that are new to it
 *
 * Calls the function stowage_meet (db/ddl/stowage.sql documents it). Waits for the result. One thread at a
 * time.
 */
#ifndef DB_STATE_RESET_ROWS_H
#define DB_STATE_RESET_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "db/state/lane_rows.h"

/* The end of a partition. */
struct reset_row {
	const char *topic;
	int32_t partition;
	const char *topic_id;
	int64_t end;
};

/* What a group reads now. */
struct reset_rows {
	const char *const *topics; /* that exist */
	size_t topic_count;
	const char *const *named; /* by kafka.topics; they may be missing */
	size_t named_count;
	const struct reset_row *rows; /* all partitions of `topics` */
	size_t row_count;
};

enum db_kind reset_rows_meet(struct connection *connection, const struct lane_table *table,
	const struct reset_rows *rows, struct db_failure *failure)
	__attribute__((warn_unused_result));

#endif
