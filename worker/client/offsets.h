/*
 * offsets.h - reads and writes the offsets of partitions for `stowage offsets`
 *
 * Uses the tables stowage_offsets and stowage_outbox (db/ddl/stowage.sql) in postgres.schemaName.
 * Blocking. One thread.
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
	int64_t replies; /* rows in the outbox: batches with undelivered replies */
	char *updated;
	bool exists; /* false: no worker of the group has claimed the partition yet */
};

struct offset_rows {
	struct offset_row *rows; /* by topic, then partition */
	size_t count;
};

/* Reads all partitions of the configured group. `topic` NULL: of all topics. On failure returns
 * false and writes the reason to `error`. */
bool offsets_read(PGconn *conn, const struct config *config, const char *topic,
	struct offset_rows *rows, char *error, size_t error_size)
	__attribute__((warn_unused_result));
/* Finds the row of a partition, or adds one with exists = false. */
struct offset_row *offsets_row(struct offset_rows *rows, const char *topic, int32_t partition);
void offsets_free(struct offset_rows *rows);

/* The new offset of a partition. */
struct offset_target {
	const char *topic;
	int32_t partition;
	const char *topic_id;
	int64_t offset;
	bool drop_replies;
};
/* Sets `applied` and `answered` of all targets in one transaction. Raises their epochs, which
 * fences the workers that hold the partitions. */
bool offsets_write(PGconn *conn, const struct config *config, const struct offset_target *targets,
	size_t count, char *error, size_t error_size) __attribute__((warn_unused_result));

#endif
