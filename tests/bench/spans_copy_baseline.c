/*
 * spans_copy_baseline.c - the program that the figure spans compares with
 *
 * COPYs the workload's spans in binary format into mastra_ai_spans. Each COPY is a transaction of a
 * thousand rows. Two connections have an OS thread each; a connection writes every second trace. The
 * program reads no topic, decodes nothing and handles no conflicts. It creates a transaction's rows
 * while PostgreSQL works on the previous ones.
 *
 *   spans_copy_baseline --schema S --count N [--connections 2] [--batch 1000]
 */
#include <endian.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "workload_spans.h"

/* Milliseconds from 1970 to 2000, PostgreSQL's epoch. */
#define POSTGRES_EPOCH_MS INT64_C(946684800000)
#define JSONB_VERSION 1

static const char COPY_HEADER[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";

struct rows {
	char *bytes;
	size_t size, room;
	unsigned count;
};

struct copier {
	PGconn *connection;
	char sql[2048];
	unsigned index; /* number of this connection */
	unsigned connections, batch;
	uint16_t columns;
	uint64_t next, count; /* spans of the whole run */
	uint64_t copied;
	struct rows rows;
};

/* ---------------------------------------------------------------- rows */

static void put(struct rows *rows, const void *bytes, size_t size)
{
	while (rows->room < rows->size + size) {
		rows->room = rows->room == 0 ? 1 << 21 : rows->room * 2;
		rows->bytes = realloc(rows->bytes, rows->room);
		if (rows->bytes == NULL)
			die("out of memory");
	}
	memcpy(rows->bytes + rows->size, bytes, size);
	rows->size += size;
}

static void put_u32(struct rows *rows, uint32_t value)
{
	value = htobe32(value);
	put(rows, &value, sizeof value);
}

static void put_count(struct rows *rows, uint16_t count)
{
	count = htobe16(count);
	put(rows, &count, sizeof count);
}

static void put_text(struct rows *rows, const struct workload_value *value)
{
	put_u32(rows, (uint32_t)value->size);
	put(rows, value->text, value->size);
}

static void put_json(struct rows *rows, const struct workload_value *value)
{
	put_u32(rows, (uint32_t)value->size + 1);
	put(rows, &(char){ JSONB_VERSION }, 1);
	put(rows, value->text, value->size);
}

static void put_time(struct rows *rows, int64_t ms)
{
	uint64_t value = htobe64((uint64_t)((ms - POSTGRES_EPOCH_MS) * 1000));

	put_u32(rows, sizeof value);
	put(rows, &value, sizeof value);
}

static void put_value(struct rows *rows, const struct workload_value *value)
{
	switch (value->kind) {
	case WORKLOAD_BOOL:
		put_u32(rows, 1);
		put(rows, &(char){ value->number != 0 }, 1);
		break;
	case WORKLOAD_TIME: /* two columns: with and without time zone */
		put_time(rows, value->number);
		put_time(rows, value->number);
		break;
	default:
		if (value->text == NULL)
			put_u32(rows, UINT32_MAX);
		else if (value->kind == WORKLOAD_TEXT)
			put_text(rows, value);
		else
			put_json(rows, value);
	}
}

/* Creates the next transaction's rows; no rows: all spans are written. */
static void make_rows(struct copier *copier)
{
	struct rows *rows = &copier->rows;
	struct workload_span span;

	rows->size = 0;
	rows->count = 0;
	put(rows, COPY_HEADER, sizeof COPY_HEADER - 1);
	for (; copier->next < copier->count && rows->count < copier->batch; copier->next++) {
		if (copier->next / WORKLOAD_SPANS_A_TRACE % copier->connections != copier->index)
			continue;
		workload_span(&span, copier->next);
		put_count(rows, copier->columns);
		for (size_t i = 0; i < WORKLOAD_SPAN_VALUES; i++)
			put_value(rows, &span.values[i]);
		rows->count++;
	}
	put_count(rows, UINT16_MAX);
}

/* ---------------------------------------------------------------- COPY */

static void check_copied(struct copier *copier, unsigned count)
{
	PGresult *result = PQgetResult(copier->connection);

	if (PQresultStatus(result) != PGRES_COMMAND_OK ||
		strtoul(PQcmdTuples(result), NULL, 10) != count)
		die("not %u rows: %s", count, PQerrorMessage(copier->connection));
	PQclear(result);
	if (PQgetResult(copier->connection) != NULL)
		die("more than one result");
	copier->copied += count;
}

static void *copy_all(void *arg)
{
	struct copier *copier = arg;

	make_rows(copier);
	while (copier->rows.count > 0) {
		unsigned count = copier->rows.count;
		PGresult *begun = PQexec(copier->connection, copier->sql);
		if (PQresultStatus(begun) != PGRES_COPY_IN)
			die("%s", PQerrorMessage(copier->connection));
		PQclear(begun);
		if (PQputCopyData(copier->connection, copier->rows.bytes, (int)copier->rows.size) !=
				1 ||
			PQputCopyEnd(copier->connection, NULL) != 1)
			die("%s", PQerrorMessage(copier->connection));
		make_rows(copier);
		check_copied(copier, count);
	}
	return NULL;
}

/* The statement and the number of its columns; a time fills two columns. */
static void make_statement(struct copier *copier, const char *schema)
{
	struct workload_span span;
	char names[1024] = "";
	size_t used = 0;

	workload_span(&span, 0);
	for (size_t i = 0; i < WORKLOAD_SPAN_VALUES; i++) {
		const char *name = span.values[i].name, *comma = i == 0 ? "" : ", ";
		bool time = span.values[i].kind == WORKLOAD_TIME;
		used += (size_t)(time ? snprintf(names + used, sizeof names - used,
						"%s\"%s\", \"%sZ\"", comma, name, name)
				      : snprintf(names + used, sizeof names - used, "%s\"%s\"",
						comma, name));
		if (used >= sizeof names)
			die("too many columns");
		copier->columns += time ? 2 : 1;
	}
	snprintf(copier->sql, sizeof copier->sql,
		"COPY \"%s\".mastra_ai_spans (%s) FROM STDIN (FORMAT binary)", schema, names);
}

static void open_connection(struct copier *copier, const char *conninfo, const char *schema)
{
	copier->connection = PQconnectdb(conninfo);
	if (PQstatus(copier->connection) != CONNECTION_OK)
		die("%s", PQerrorMessage(copier->connection));
	make_statement(copier, schema);
}

int main(int argc, char **argv)
{
	const char *conninfo = environment("STOWAGE_POSTGRES_CONNECTION_STRING");
	const char *schema = option(argc, argv, "schema", NULL);
	unsigned connections = (unsigned)option_number(argc, argv, "connections", 2);
	struct copier *copiers = calloc(connections, sizeof *copiers);
	pthread_t *threads = calloc(connections, sizeof *threads);
	uint64_t copied = 0;

	for (unsigned i = 0; i < connections; i++) {
		copiers[i] = (struct copier){ .index = i,
			.connections = connections,
			.count = (uint64_t)option_number(argc, argv, "count", 0),
			.batch = (unsigned)option_number(argc, argv, "batch", 1000) };
		open_connection(&copiers[i], conninfo, schema);
	}
	int64_t start = now_ns();
	for (unsigned i = 0; i < connections; i++) {
		if (pthread_create(&threads[i], NULL, copy_all, &copiers[i]) != 0)
			die("no thread");
	}
	for (unsigned i = 0; i < connections; i++) {
		pthread_join(threads[i], NULL);
		copied += copiers[i].copied;
	}
	double seconds = (double)(now_ns() - start) / 1e9;
	for (unsigned i = 0; i < connections; i++)
		PQfinish(copiers[i].connection);
	printf("{\"count\": %llu, \"seconds\": %.3f, \"rate\": %.0f, \"cpu_us\": %.2f}\n",
		(unsigned long long)copied, seconds, (double)copied / seconds,
		(double)cpu_ns() / 1e3 / (double)copied);
	return 0;
}
