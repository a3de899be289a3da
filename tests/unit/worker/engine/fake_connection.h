/*
 * fake_connection.h - the functions of connection.h and copy.h that a fake connection answers with
 * nothing: no result is bounded, and no rows go in by COPY
 *
 * Include it in one file of a test program, which defines the other functions.
 */
#ifndef TESTS_UNIT_WORKER_ENGINE_FAKE_CONNECTION_H
#define TESTS_UNIT_WORKER_ENGINE_FAKE_CONNECTION_H

#include "db/connection/copy.h"

void connection_bound(struct connection *connection, size_t bytes)
{
	(void)connection, (void)bytes;
}

bool connection_is_pooled(const struct connection *connection)
{
	(void)connection;
	return false;
}

void connection_describe(struct connection *connection, const char *sql, const uint32_t *oids,
	int count, connection_result_fn *done, void *arg, void *tag)
{
	(void)connection, (void)sql, (void)oids, (void)count, (void)done, (void)arg, (void)tag;
}

void connection_renew_statements(struct connection *connection)
{
	(void)connection;
}

void connection_reset_settings(struct connection *connection)
{
	(void)connection;
}

void connection_stream(struct connection *connection)
{
	(void)connection;
}

bool connection_rows_cut(const struct connection *connection)
{
	(void)connection;
	return false;
}

struct db_life connection_life(const struct connection *connection)
{
	(void)connection;
	return (struct db_life){ 0 };
}

void connection_limit(struct connection *connection, struct statement_limits limits)
{
	(void)connection, (void)limits;
}

void connection_limit_syncs(struct connection *connection, struct statement_limits limits)
{
	(void)connection, (void)limits;
}

void connection_watch(struct connection *connection, int64_t tick, connection_waits_fn *fn,
	void *arg)
{
	(void)connection, (void)tick, (void)fn, (void)arg;
}

bool copy_begin(struct connection *connection, const char *sql, const char *schema, void *tag)
{
	(void)connection, (void)sql, (void)schema, (void)tag;
	return false;
}

void copy_rows(struct connection *connection, const void *bytes, size_t size)
{
	(void)connection, (void)bytes, (void)size;
}

enum copy_end copy_end(struct connection *connection, void *tag)
{
	(void)connection, (void)tag;
	return COPY_DONE;
}

#endif
