/*
 * reset.h - where the group starts in topics that are new to it, with kafka.offsetReset "latest"
 */
#ifndef WORKER_ENGINE_RESET_H
#define WORKER_ENGINE_RESET_H

#include "db/state/lane_rows.h"
#include "worker/engine/engine.h"

/* How it ended. */
enum reset_end {
	RESET_RECORDED,
	RESET_KAFKA,    /* a partition has no leader, or no broker answers: try again later */
	RESET_DATABASE, /* `failure` says why */
};

/* Records the ends of all topics that the group reads and does not know yet. Later calls change nothing
 * for known topics. Blocks on Kafka and PostgreSQL. */
enum reset_end reset_record(const struct engine *engine, struct connection *connection,
	const struct lane_table *table, struct db_failure *failure)
	__attribute__((warn_unused_result));

/* At the worker's start: records them before any topic is created later. If Kafka or the database is away,
 * the first claim of a partition does it. */
void reset_record_at_start(const struct engine *engine);

#endif
