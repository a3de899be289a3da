/*
 * offsets.h - the lanes' rows, as `stowage offsets` shows and sets them
 *
 * On stowage_offsets and stowage_outbox (db/ddl/stowage.sql) of postgres.schemaName. Blocking;
 * one thread.
 */
#ifndef WORKER_CLIENT_OFFSETS_H
#define WORKER_CLIENT_OFFSETS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/config/config.h"

struct offset_row {
	char *topic;
	int32_t partition;
	char *topic_id;
	int64_t epoch, applied, answered;
	int64_t crash_count;
	int64_t replies; /* outbox rows: batches whose replies are not delivered */
	char *updated;
	bool exists; /* false: the group never had this partition */
};

struct offset_rows {
	struct offset_row *rows; /* by topic, then partition */
	size_t count;
};

/* All lanes of the configured group; `topic` NULL: of every topic. False, and why, on failure. */
bool offsets_read(PGconn *conn, const struct config *config, const char *topic,
	struct offset_rows *rows, char *error, size_t error_size)
	__attribute__((warn_unused_result));
/* The row of a partition; one that does not exist is added. */
struct offset_row *offsets_row(struct offset_rows *rows, const char *topic, int32_t partition);
void offsets_free(struct offset_rows *rows);

/* Where a lane is set. */
struct offset_target {
	const char *topic;
	int32_t partition;
	const char *topic_id;
	int64_t offset;
	bool drop_replies;
};
/* Sets applied and answered, raises the epoch, so that whoever has the lane is fenced; all lanes
 * in one transaction. */
bool offsets_write(PGconn *conn, const struct config *config, const struct offset_target *targets,
	size_t count, char *error, size_t error_size) __attribute__((warn_unused_result));

#endif
