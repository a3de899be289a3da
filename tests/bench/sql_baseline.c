/*
 * sql_baseline.c - the time of bare SQL, prepared: memory.getThreadById's or agents.getByIdResolved's
 * statement
 *
 *   sql_baseline --schema S --count N [--kind getThreadById] [--threads 200] [--connections 1]
 *
 * Each connection has a thread that runs one statement at a time. Prints the median and the 99th
 * percentile of a statement's time, and the statements per second over all connections.
 */
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "workload.h"

static const char THREAD[] =
	"SELECT id, \"resourceId\", title, metadata, "
	"COALESCE(\"createdAtZ\", \"createdAt\" AT TIME ZONE 'UTC') AS \"createdAt\", "
	"COALESCE(\"updatedAtZ\", \"updatedAt\" AT TIME ZONE 'UTC') AS \"updatedAt\" "
	"FROM \"%s\".mastra_threads WHERE id = $1::text AND ($2::text IS NULL OR \"resourceId\" = $2::text)";

/* An agent with its active version, else its latest one. */
static const char AGENT[] =
	"SELECT e.*, v.* FROM \"%1$s\".mastra_agents AS e LEFT JOIN LATERAL (SELECT COALESCE($2::text, "
	"(SELECT a.id FROM \"%1$s\".mastra_agent_versions AS a WHERE a.id = e.\"activeVersionId\"), "
	"(SELECT l.id FROM \"%1$s\".mastra_agent_versions AS l WHERE l.\"agentId\" = e.id "
	"ORDER BY l.\"versionNumber\" DESC, l.id DESC LIMIT 1)) AS id OFFSET 0) AS chosen ON true "
	"LEFT JOIN \"%1$s\".mastra_agent_versions AS v ON v.id = chosen.id WHERE e.id = $1::text";

struct asker {
	PGconn *connection;
	size_t count;
	unsigned threads;
	int64_t *samples;
};

static void *ask_all(void *arg)
{
	struct asker *asker = arg;
	char id[32];
	const char *values[2] = { id, NULL };

	for (size_t i = 0; i < asker->count; i++) {
		workload_thread_id(id, (unsigned)(i % asker->threads));
		int64_t start = now_ns();
		PGresult *result = PQexecPrepared(asker->connection, "get", 2, values, NULL, NULL,
			1);
		asker->samples[i] = now_ns() - start;
		if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
			die("get: not one row: %s", PQerrorMessage(asker->connection));
		PQclear(result);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const char *conninfo = environment("STOWAGE_POSTGRES_CONNECTION_STRING");
	const char *schema = option(argc, argv, "schema", NULL);
	size_t connections = (size_t)option_number(argc, argv, "connections", 1);
	size_t count = (size_t)option_number(argc, argv, "count", 10000) / connections;
	unsigned workload_threads = (unsigned)option_number(argc, argv, "threads", 200);
	struct asker *askers = calloc(connections, sizeof *askers);
	pthread_t *threads = calloc(connections, sizeof *threads);
	int64_t *samples = calloc(connections * count, sizeof *samples);
	const char *kind = option(argc, argv, "kind", "getThreadById");
	char sql[1024];

	snprintf(sql, sizeof sql, strcmp(kind, "getByIdResolved") == 0 ? AGENT : THREAD, schema);
	for (size_t i = 0; i < connections; i++) {
		PGconn *connection = PQconnectdb(conninfo);
		if (PQstatus(connection) != CONNECTION_OK)
			die("%s", PQerrorMessage(connection));
		PGresult *result = PQprepare(connection, "get", sql, 0, NULL);
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			die("%s", PQerrorMessage(connection));
		PQclear(result);
		askers[i] = (struct asker){ connection, count, workload_threads,
			samples + i * count };
	}
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
	size_t total = connections * count;
	samples_sort(samples, total);
	printf("{\"count\": %zu, \"median_us\": %.1f, \"p99_us\": %.1f, \"rate\": %.0f}\n", total,
		(double)samples_at(samples, total, 50) / 1e3,
		(double)samples_at(samples, total, 99) / 1e3, (double)total / seconds);
	return 0;
}
