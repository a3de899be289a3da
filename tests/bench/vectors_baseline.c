/*
 * vectors_baseline.c - the program that the figure vectors-upsert compares with
 *
 * Upserts the workload's vectors as binary arrays with a prepared statement, one statement per
 * transaction, one OS thread per connection. The program reads no topic and decodes nothing. All vectors
 * are in memory before the clock starts. It fills a statement's arrays while PostgreSQL works on the
 * previous ones. One connection writes all rows of what is one command on the worker's side.
 *
 *   vectors_baseline --schema S --index I --dimensions D --count N [--connections 4] [--batch 100]
 */
#include <libpq-fe.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "binary_array.h"
#include "workload_vectors.h"

#define JSONB_OID 3802
#define JSONB_VERSION 1

static const char SQL[] = "INSERT INTO \"%s\".\"%s\" (vector_id, embedding, metadata, namespace) "
			  "SELECT * FROM unnest($1::text[], $2::vector[], $3::jsonb[], $4::text[]) "
			  "ON CONFLICT (namespace, vector_id) DO UPDATE "
			  "SET embedding = EXCLUDED.embedding, metadata = EXCLUDED.metadata";

enum { ID, EMBEDDING, METADATA, NAMESPACE, COLUMNS };

struct writer {
	PGconn *connection;
	unsigned index; /* number of this connection */
	unsigned connections, batch;
	const struct workload_vectors *vectors;
	unsigned dimensions;
	float *floats; /* all its vectors, one after the other */
	uint32_t types[COLUMNS];
	struct binary_array columns[COLUMNS];
	uint64_t next, count; /* vectors of the whole run */
	uint64_t made;        /* rows that this connection created so far */
	uint64_t written;
};

/* ---------------------------------------------------------------- rows */

static bool is_its(const struct writer *writer, uint64_t i)
{
	return i / WORKLOAD_VECTORS_A_COMMAND % writer->connections == writer->index;
}

static void make_vectors(struct writer *writer)
{
	uint64_t made = 0, room = writer->count / writer->connections + WORKLOAD_VECTORS_A_COMMAND;

	writer->floats = calloc(room * writer->dimensions, sizeof *writer->floats);
	if (writer->floats == NULL)
		die("out of memory");
	for (uint64_t i = 0; i < writer->count; i++) {
		if (is_its(writer, i))
			workload_vector(writer->vectors, i,
				writer->floats + made++ * writer->dimensions);
	}
}

static void put_row(struct writer *writer, uint64_t i)
{
	char id[WORKLOAD_VECTOR_ID], metadata[1 + WORKLOAD_VECTOR_METADATA] = { JSONB_VERSION };

	workload_vector_id(id, i);
	binary_array_put_text(&writer->columns[ID], id);
	char *embedding = binary_array_room(&writer->columns[EMBEDDING],
		workload_vector_binary_size(writer->vectors));
	workload_vector_binary(writer->vectors,
		writer->floats + writer->made++ * writer->dimensions, embedding);
	size_t size = workload_vector_metadata(metadata + 1, i);
	binary_array_put(&writer->columns[METADATA], metadata, 1 + size);
	binary_array_put_text(&writer->columns[NAMESPACE], "default");
}

/* Fills the next statement's arrays; no rows: all vectors are written. */
static unsigned make_rows(struct writer *writer)
{
	for (int i = 0; i < COLUMNS; i++)
		binary_array_begin(&writer->columns[i], writer->types[i]);
	for (; writer->next < writer->count && writer->columns[ID].items < writer->batch;
		writer->next++) {
		if (is_its(writer, writer->next))
			put_row(writer, writer->next);
	}
	for (int i = 0; i < COLUMNS; i++)
		binary_array_end(&writer->columns[i]);
	return writer->columns[ID].items;
}

/* ---------------------------------------------------------------- statements */

static void send_rows(struct writer *writer)
{
	const char *values[COLUMNS];
	int lengths[COLUMNS], formats[COLUMNS];

	for (int i = 0; i < COLUMNS; i++) {
		values[i] = writer->columns[i].bytes;
		lengths[i] = (int)writer->columns[i].size;
		formats[i] = 1;
	}
	if (!PQsendQueryPrepared(writer->connection, "upsert", COLUMNS, values, lengths, formats,
		    1) ||
		PQflush(writer->connection) != 0)
		die("%s", PQerrorMessage(writer->connection));
}

static void check_written(struct writer *writer, unsigned count)
{
	PGresult *result = PQgetResult(writer->connection);

	if (PQresultStatus(result) != PGRES_COMMAND_OK ||
		strtoul(PQcmdTuples(result), NULL, 10) != count)
		die("not %u rows: %s", count, PQerrorMessage(writer->connection));
	PQclear(result);
	if (PQgetResult(writer->connection) != NULL)
		die("more than one result");
	writer->written += count;
}

static void *write_all(void *arg)
{
	struct writer *writer = arg;
	unsigned count = make_rows(writer);

	while (count > 0) {
		send_rows(writer);
		unsigned next = make_rows(writer);
		check_written(writer, count);
		count = next;
	}
	return NULL;
}

/* ---------------------------------------------------------------- connections */

static uint32_t vector_oid(PGconn *connection)
{
	PGresult *result = PQexec(connection, "SELECT 'vector'::regtype::oid");

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		die("%s", PQerrorMessage(connection));
	uint32_t oid = (uint32_t)strtoul(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return oid;
}

static void open_connection(struct writer *writer, const char *schema, const char *index)
{
	char sql[1024];

	writer->connection = PQconnectdb(environment("STOWAGE_POSTGRES_CONNECTION_STRING"));
	if (PQstatus(writer->connection) != CONNECTION_OK)
		die("%s", PQerrorMessage(writer->connection));
	snprintf(sql, sizeof sql, SQL, schema, index);
	PGresult *result = PQprepare(writer->connection, "upsert", sql, 0, NULL);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		die("%s", PQerrorMessage(writer->connection));
	PQclear(result);
	const uint32_t types[COLUMNS] = { TEXT_OID, vector_oid(writer->connection), JSONB_OID,
		TEXT_OID };
	memcpy(writer->types, types, sizeof types);
}

int main(int argc, char **argv)
{
	const char *schema = option(argc, argv, "schema", NULL),
		   *index = option(argc, argv, "index", NULL);
	unsigned connections = (unsigned)option_number(argc, argv, "connections", 4);
	unsigned dimensions = (unsigned)option_number(argc, argv, "dimensions", 0);
	struct workload_vectors *vectors = workload_vectors_open(dimensions);
	struct writer *writers = calloc(connections, sizeof *writers);
	pthread_t *threads = calloc(connections, sizeof *threads);
	uint64_t written = 0;

	for (unsigned i = 0; i < connections; i++) {
		writers[i] = (struct writer){ .index = i,
			.connections = connections,
			.vectors = vectors,
			.dimensions = dimensions,
			.count = (uint64_t)option_number(argc, argv, "count", 0),
			.batch = (unsigned)option_number(argc, argv, "batch", 100) };
		open_connection(&writers[i], schema, index);
		make_vectors(&writers[i]);
	}
	int64_t start = now_ns(), start_cpu = cpu_ns();
	for (unsigned i = 0; i < connections; i++) {
		if (pthread_create(&threads[i], NULL, write_all, &writers[i]) != 0)
			die("no thread");
	}
	for (unsigned i = 0; i < connections; i++) {
		pthread_join(threads[i], NULL);
		written += writers[i].written;
	}
	double seconds = (double)(now_ns() - start) / 1e9;
	for (unsigned i = 0; i < connections; i++)
		PQfinish(writers[i].connection);
	printf("{\"count\": %llu, \"seconds\": %.3f, \"rate\": %.0f, \"cpu_us\": %.2f}\n",
		(unsigned long long)written, seconds, (double)written / seconds,
		(double)(cpu_ns() - start_cpu) / 1e3 / (double)written);
	return 0;
}
