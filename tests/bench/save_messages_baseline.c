/*
 * save_messages_baseline.c - the program that the figure save-messages compares with
 *
 * Saves the workload's messages with the command's statements: the check of the threads, the upsert,
 * the threads' updatedAt. A transaction saves a thousand messages as binary arrays through unnest,
 * prepared, in one libpq pipeline (one round trip). Two connections have an OS thread each. The program
 * reads no topic and decodes nothing; it creates messages just before it binds them. Each connection
 * saves every second Mastra thread, so the connections never wait for each other's rows.
 *
 *   save_messages_baseline --schema S --count N [--threads 200] [--connections 2] [--batch 1000]
 */
#include <endian.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "binary_array.h"
#include "workload.h"

#define TIMESTAMPTZ_OID 1184
/* Milliseconds from 1970 to 2000, PostgreSQL's epoch. */
#define POSTGRES_EPOCH_MS INT64_C(946684800000)

static const char *const SQL[] = {
	"SELECT id FROM \"%s\".mastra_threads WHERE id = ANY ($1::text[])",

	"INSERT INTO \"%s\".mastra_messages "
	"(id, thread_id, content, \"createdAt\", \"createdAtZ\", role, type, \"resourceId\") "
	"SELECT id, thread_id, content, created AT TIME ZONE 'UTC', created, role, type, resource_id "
	"FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[]) "
	"AS given (id, thread_id, content, created, role, type, resource_id) "
	"ON CONFLICT (id) DO UPDATE SET thread_id = EXCLUDED.thread_id, content = EXCLUDED.content, "
	"role = EXCLUDED.role, type = EXCLUDED.type, \"resourceId\" = EXCLUDED.\"resourceId\"",

	"UPDATE \"%s\".mastra_threads SET \"updatedAt\" = $2::timestamptz AT TIME ZONE 'UTC', "
	"\"updatedAtZ\" = $2::timestamptz WHERE id = ANY ($1::text[])",
};
enum { CHECK_THREADS, UPSERT, TOUCH_THREADS, STATEMENTS };
static const char *const NAME[] = { "check", "upsert", "touch" };

enum { ID, THREAD_ID, CONTENT, CREATED, ROLE, TYPE, RESOURCE_ID, COLUMNS };

struct saver {
	PGconn *connection;
	unsigned index; /* number of this connection */
	uint64_t count; /* messages of the whole run */
	unsigned threads, connections, batch;
	struct binary_array columns[COLUMNS], thread_ids;
	bool *touched; /* by thread: is in thread_ids */
	uint64_t saved;
};

static uint64_t time_value(int64_t ms)
{
	return htobe64((uint64_t)((ms - POSTGRES_EPOCH_MS) * 1000));
}

static void put_time(struct binary_array *array, int64_t ms)
{
	uint64_t value = time_value(ms);

	binary_array_put(array, &value, sizeof value);
}

static void send(struct saver *saver, int statement, struct binary_array **columns, int count)
{
	const char *values[COLUMNS];
	int lengths[COLUMNS], formats[COLUMNS];

	for (int i = 0; i < count; i++) {
		values[i] = columns[i]->bytes;
		lengths[i] = (int)columns[i]->size;
		formats[i] = 1;
	}
	if (!PQsendQueryPrepared(saver->connection, NAME[statement], count, values, lengths,
		    formats, 1))
		die("%s: %s", NAME[statement], PQerrorMessage(saver->connection));
}

static void send_plain(struct saver *saver, const char *sql)
{
	if (!PQsendQueryParams(saver->connection, sql, 0, NULL, NULL, NULL, NULL, 0))
		die("%s: %s", sql, PQerrorMessage(saver->connection));
}

/* Reads the next statement's result, and checks the number of rows that it returned or changed. */
static void expect(struct saver *saver, const char *what, ExecStatusType status, int rows)
{
	PGresult *result = PQgetResult(saver->connection);

	if (PQresultStatus(result) != status)
		die("%s: %s", what, PQerrorMessage(saver->connection));
	if (rows >= 0 &&
		rows != (status == PGRES_TUPLES_OK ? PQntuples(result) : atoi(PQcmdTuples(result))))
		die("%s: not %d rows", what, rows);
	PQclear(result);
	if (status != PGRES_PIPELINE_SYNC && PQgetResult(saver->connection) != NULL)
		die("%s: more than one result", what);
}

static void save_batch(struct saver *saver)
{
	struct binary_array *columns[COLUMNS], *thread_ids = &saver->thread_ids;

	for (int i = 0; i < COLUMNS; i++) {
		columns[i] = &saver->columns[i];
		binary_array_end(columns[i]);
	}
	binary_array_end(thread_ids);
	uint64_t now_value = time_value(wall_ms());
	struct binary_array now = { .bytes = (char *)&now_value,
		.size = sizeof now_value }; /* not an array, but bound like one */

	send_plain(saver, "BEGIN");
	send(saver, CHECK_THREADS, &thread_ids, 1);
	send(saver, UPSERT, columns, COLUMNS);
	send(saver, TOUCH_THREADS, (struct binary_array *[]){ thread_ids, &now }, 2);
	send_plain(saver, "COMMIT");
	if (!PQpipelineSync(saver->connection))
		die("sync: %s", PQerrorMessage(saver->connection));

	int rows = (int)saver->columns[ID].items, threads = (int)thread_ids->items;
	expect(saver, "BEGIN", PGRES_COMMAND_OK, -1);
	expect(saver, NAME[CHECK_THREADS], PGRES_TUPLES_OK, threads);
	expect(saver, NAME[UPSERT], PGRES_COMMAND_OK, rows);
	expect(saver, NAME[TOUCH_THREADS], PGRES_COMMAND_OK, threads);
	expect(saver, "COMMIT", PGRES_COMMAND_OK, -1);
	expect(saver, "sync", PGRES_PIPELINE_SYNC, -1);
	saver->saved += (uint64_t)rows;
}

static void begin_batch(struct saver *saver)
{
	for (int i = 0; i < COLUMNS; i++)
		binary_array_begin(&saver->columns[i], i == CREATED ? TIMESTAMPTZ_OID : TEXT_OID);
	binary_array_begin(&saver->thread_ids, TEXT_OID);
	memset(saver->touched, 0, saver->threads * sizeof *saver->touched);
}

static void *save_all(void *arg)
{
	struct saver *saver = arg;
	struct workload_message message;

	begin_batch(saver);
	for (uint64_t i = 0; i < saver->count; i++) {
		unsigned thread = (unsigned)(i % saver->threads);
		if (thread % saver->connections != saver->index)
			continue;
		workload_message(&message, i, saver->threads);
		binary_array_put_text(&saver->columns[ID], message.id);
		binary_array_put_text(&saver->columns[THREAD_ID], message.thread_id);
		binary_array_put(&saver->columns[CONTENT], message.content,
			(size_t)message.content_size);
		put_time(&saver->columns[CREATED], message.created_ms);
		binary_array_put_text(&saver->columns[ROLE], "user");
		binary_array_put_text(&saver->columns[TYPE], "v2");
		binary_array_put_text(&saver->columns[RESOURCE_ID], message.resource_id);
		if (!saver->touched[thread]) {
			saver->touched[thread] = true;
			binary_array_put_text(&saver->thread_ids, message.thread_id);
		}
		if (saver->columns[ID].items == saver->batch) {
			save_batch(saver);
			begin_batch(saver);
		}
	}
	if (saver->columns[ID].items > 0)
		save_batch(saver);
	return NULL;
}

static void open_connection(struct saver *saver, const char *conninfo, const char *schema)
{
	saver->connection = PQconnectdb(conninfo);
	if (PQstatus(saver->connection) != CONNECTION_OK)
		die("%s", PQerrorMessage(saver->connection));
	for (int i = 0; i < STATEMENTS; i++) {
		char sql[1024];
		snprintf(sql, sizeof sql, SQL[i], schema);
		PGresult *result = PQprepare(saver->connection, NAME[i], sql, 0, NULL);
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			die("%s: %s", NAME[i], PQerrorMessage(saver->connection));
		PQclear(result);
	}
	if (!PQenterPipelineMode(saver->connection))
		die("no pipeline mode");
}

int main(int argc, char **argv)
{
	const char *conninfo = environment("STOWAGE_POSTGRES_CONNECTION_STRING");
	const char *schema = option(argc, argv, "schema", NULL);
	unsigned connections = (unsigned)option_number(argc, argv, "connections", 2);
	struct saver *savers = calloc(connections, sizeof *savers);
	pthread_t *threads = calloc(connections, sizeof *threads);
	uint64_t saved = 0;

	for (unsigned i = 0; i < connections; i++) {
		savers[i] = (struct saver){ .index = i,
			.connections = connections,
			.count = (uint64_t)option_number(argc, argv, "count", 0),
			.threads = (unsigned)option_number(argc, argv, "threads", 200),
			.batch = (unsigned)option_number(argc, argv, "batch", 1000) };
		savers[i].touched = calloc(savers[i].threads, sizeof *savers[i].touched);
		open_connection(&savers[i], conninfo, schema);
	}
	int64_t start = now_ns();
	for (unsigned i = 0; i < connections; i++) {
		if (pthread_create(&threads[i], NULL, save_all, &savers[i]) != 0)
			die("no thread");
	}
	for (unsigned i = 0; i < connections; i++) {
		pthread_join(threads[i], NULL);
		saved += savers[i].saved;
	}
	double seconds = (double)(now_ns() - start) / 1e9;
	for (unsigned i = 0; i < connections; i++)
		PQfinish(savers[i].connection);
	printf("{\"count\": %llu, \"seconds\": %.3f, \"rate\": %.0f, \"cpu_us\": %.2f}\n",
		(unsigned long long)saved, seconds, (double)saved / seconds,
		(double)cpu_ns() / 1e3 / (double)saved);
	return 0;
}
