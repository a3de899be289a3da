/*
 * vectors_sql.c - the time of bare SQL: the search of vectors.query, prepared, in binary format
 *
 *   vectors_sql --schema S --index I --dimensions D --vectors N --queries Q --count C
 *               [--connections 1] [--ef 160] [--exact 0] [--found FILE]
 *
 * Each connection has a thread that searches one vector at a time: the Q vectors after the N stored
 * ones, in turn. Each connection starts with another vector; two equal searches at the same moment
 * would share the processor's caches. The session's settings make the planner use the vector index, or
 * no index with --exact 1. Prints the median and the 99th percentile of a search's time, and the
 * searches per second over all connections. FILE gets a line with the found ids for each search of the
 * first connection.
 */
#include <endian.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "workload_vectors.h"

static const char SQL[] =
	"SELECT vector_id, 1 - (embedding <=> $1::vector), metadata FROM \"%s\".\"%s\" "
	"WHERE namespace = 'default' ORDER BY embedding <=> $1::vector LIMIT $2::int8";
static const char INDEXED[] = "SET jit = off; SET enable_sort = off; SET hnsw.ef_search = %lld";
static const char EXACT[] =
	"SET jit = off; SET enable_indexscan = off; SET enable_bitmapscan = off";

/* Queries in the binary format of the parameter, one after the other. */
struct queries {
	char *bytes;
	size_t size; /* of one query */
	size_t count;
};

struct asker {
	PGconn *connection;
	const struct queries *queries;
	size_t first; /* its first query */
	size_t count;
	int64_t *samples;
	FILE *found; /* NULL: do not write the found ids */
};

static void make_queries(struct queries *queries, unsigned dimensions, uint64_t stored)
{
	struct workload_vectors *vectors = workload_vectors_open(dimensions);
	float *floats = calloc(dimensions, sizeof *floats);

	queries->size = workload_vector_binary_size(vectors);
	queries->bytes = calloc(queries->count, queries->size);
	for (size_t i = 0; i < queries->count; i++) {
		workload_vector(vectors, stored + i, floats);
		workload_vector_binary(vectors, floats, queries->bytes + i * queries->size);
	}
	free(floats);
	workload_vectors_close(vectors);
}

static void write_found(FILE *file, const PGresult *result)
{
	for (int i = 0; i < PQntuples(result); i++)
		fprintf(file, "%s%s", i == 0 ? "" : " ", PQgetvalue(result, i, 0));
	fputc('\n', file);
}

static void *ask_all(void *arg)
{
	struct asker *asker = arg;
	uint64_t limit = htobe64(WORKLOAD_VECTORS_TOP_K);
	const int lengths[2] = { (int)asker->queries->size, sizeof limit }, formats[2] = { 1, 1 };

	for (size_t i = 0; i < asker->count; i++) {
		const char *query = asker->queries->bytes +
			(asker->first + i) % asker->queries->count * asker->queries->size;
		const char *values[2] = { query, (const char *)&limit };
		int64_t start = now_ns();
		PGresult *result = PQexecPrepared(asker->connection, "search", 2, values, lengths,
			formats, 1);
		asker->samples[i] = now_ns() - start;
		if (PQresultStatus(result) != PGRES_TUPLES_OK ||
			PQntuples(result) != WORKLOAD_VECTORS_TOP_K)
			die("not %d rows: %s", WORKLOAD_VECTORS_TOP_K,
				PQerrorMessage(asker->connection));
		if (asker->found != NULL)
			write_found(asker->found, result);
		PQclear(result);
	}
	return NULL;
}

static void execute(PGconn *connection, const char *sql, ExecStatusType status)
{
	PGresult *result = PQexec(connection, sql);

	if (PQresultStatus(result) != status)
		die("%s: %s", sql, PQerrorMessage(connection));
	PQclear(result);
}

static PGconn *open_connection(const char *settings, const char *search)
{
	PGconn *connection = PQconnectdb(environment("STOWAGE_POSTGRES_CONNECTION_STRING"));

	if (PQstatus(connection) != CONNECTION_OK)
		die("%s", PQerrorMessage(connection));
	execute(connection, "SELECT '[0]'::vector",
		PGRES_TUPLES_OK); /* the extension's settings are unknown before its first use */
	execute(connection, settings, PGRES_COMMAND_OK);
	PGresult *result = PQprepare(connection, "search", search, 0, NULL);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		die("%s", PQerrorMessage(connection));
	PQclear(result);
	return connection;
}

static FILE *create_file(const char *path)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		die("%s: %m", path);
	return file;
}

int main(int argc, char **argv)
{
	size_t connections = (size_t)option_number(argc, argv, "connections", 1);
	size_t count = (size_t)option_number(argc, argv, "count", 0) / connections;
	const char *found = option(argc, argv, "found", "");
	struct queries queries = { .count = (size_t)option_number(argc, argv, "queries", 0) };
	struct asker *askers = calloc(connections, sizeof *askers);
	pthread_t *threads = calloc(connections, sizeof *threads);
	int64_t *samples = calloc(connections * count, sizeof *samples);
	char search[1024], settings[256];

	make_queries(&queries, (unsigned)option_number(argc, argv, "dimensions", 0),
		(uint64_t)option_number(argc, argv, "vectors", 0));
	snprintf(search, sizeof search, SQL, option(argc, argv, "schema", NULL),
		option(argc, argv, "index", NULL));
	snprintf(settings, sizeof settings, INDEXED,
		(long long)option_number(argc, argv, "ef", 160));
	for (size_t i = 0; i < connections; i++) {
		PGconn *connection =
			open_connection(option_number(argc, argv, "exact", 0) ? EXACT : settings,
				search);
		askers[i] = (struct asker){ connection, &queries, i * queries.count / connections,
			count, samples + i * count, NULL };
	}
	if (*found != '\0')
		askers[0].found = create_file(found);
	int64_t start = now_ns();
	for (size_t i = 0; i < connections; i++) {
		if (pthread_create(&threads[i], NULL, ask_all, &askers[i]) != 0)
			die("no thread");
	}
	for (size_t i = 0; i < connections; i++) {
		pthread_join(threads[i], NULL);
		PQfinish(askers[i].connection);
	}
	double seconds = (double)(now_ns() - start) / 1e9;
	if (askers[0].found != NULL && fclose(askers[0].found) != 0)
		die("%s: %m", found);
	size_t total = connections * count;
	samples_sort(samples, total);
	printf("{\"count\": %zu, \"median_us\": %.1f, \"p99_us\": %.1f, \"rate\": %.0f}\n", total,
		(double)samples_at(samples, total, 50) / 1e3,
		(double)samples_at(samples, total, 99) / 1e3, (double)total / seconds);
	return 0;
}
