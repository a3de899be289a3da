/*
 * watch.c - reports when a worker begins and when it is done
 *
 *   watch --schema S --group G --until N [--from M | --lanes L]
 *
 * Asks the database how many of the group's commands are applied: the sum of the offsets in
 * stowage_offsets. Offsets move in the commands' transactions, so only committed commands count. It asks
 * every few milliseconds until the worker begins and when the end is near, and rarely in between,
 * because its cost counts against the worker. Prints "ready" when it starts; "begin COUNT" when the
 * count first exceeds M, or with --lanes when the group has claimed L partitions (the worker fetches
 * nothing before); "end COUNT" when the count reaches N. It flushes each line.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

#define PAUSE_NS 3000000
#define PAUSE_MAX_NS 50000000
#define STALLED_NS INT64_C(180000000000) /* a batch of vectors with hnsw takes half a minute */

static PGconn *open_connection(const char *schema)
{
	char sql[256];
	PGconn *connection = PQconnectdb(environment("STOWAGE_POSTGRES_CONNECTION_STRING"));

	if (PQstatus(connection) != CONNECTION_OK)
		die("%s", PQerrorMessage(connection));
	snprintf(sql, sizeof sql,
		"SELECT COALESCE(sum(applied), 0), count(*) FROM \"%s\".stowage_offsets WHERE group_id = $1",
		schema);
	PGresult *result = PQprepare(connection, "applied", sql, 0, NULL);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		die("%s", PQerrorMessage(connection));
	PQclear(result);
	return connection;
}

static int64_t applied(PGconn *connection, const char *group, int64_t *lanes)
{
	PGresult *result = PQexecPrepared(connection, "applied", 1, &group, NULL, NULL, 0);

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		die("%s", PQerrorMessage(connection));
	int64_t count = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	*lanes = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
	PQclear(result);
	return count;
}

static void say(const char *what, int64_t count)
{
	printf("%s %lld\n", what, (long long)count);
	fflush(stdout);
}

/* A quarter of the estimated remaining time, within bounds. */
static void pause_until_next(int64_t since, int64_t done, int64_t left)
{
	int64_t pause = done > 0 ? (now_ns() - since) / 4 * left / done : PAUSE_NS;

	pause = pause < PAUSE_NS ? PAUSE_NS : pause > PAUSE_MAX_NS ? PAUSE_MAX_NS : pause;
	nanosleep(&(struct timespec){ .tv_nsec = pause }, NULL);
}

int main(int argc, char **argv)
{
	PGconn *connection = open_connection(option(argc, argv, "schema", NULL));
	const char *group = option(argc, argv, "group", NULL);
	int64_t from = option_number(argc, argv, "from", 0),
		until = option_number(argc, argv, "until", 0);
	int64_t due = option_number(argc, argv, "lanes", 0), lanes;
	int64_t begun = 0, at_begin = 0, last = -1, moved = now_ns();

	say("ready", from);
	for (;;) {
		int64_t count = applied(connection, group, &lanes);
		if (!begun && (due > 0 ? lanes >= due : count > from)) {
			begun = now_ns();
			at_begin = count;
			say("begin", count);
		}
		if (count >= until)
			break;
		if (count != last) {
			last = count;
			moved = now_ns();
		} else if (now_ns() - moved > STALLED_NS) {
			die("no progress for three minutes at %lld of %lld", (long long)count,
				(long long)until);
		}
		pause_until_next(begun, begun ? count - at_begin : 0, until - count);
	}
	say("end", until);
	PQfinish(connection);
	return 0;
}
