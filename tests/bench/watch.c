/*
 * watch - says when a worker begins and when it is done
 *
 *   watch --schema S --group G --until N [--from M | --lanes L]
 *
 * Asks the database every few milliseconds how many commands of the group are applied (the sum
 * of the lanes' offsets, which move in the transactions of their commands: no command counts
 * before its effect is committed). Prints "ready" when it watches, "begin COUNT" when the count
 * first exceeds M, or with --lanes when the group has taken that many lanes (it fetches nothing
 * before), "end COUNT" when it reaches N; each line at once.
 */
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

#define PAUSE_NS 5000000
#define STALLED_NS INT64_C(180000000000) /* a batch of vectors into hnsw takes half a minute */

static int64_t applied(PGconn *connection, const char *sql, const char *group, int64_t *lanes)
{
	PGresult *result = PQexecParams(connection, sql, 1, NULL, &group, NULL, NULL, 0);

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

int main(int argc, char **argv)
{
	PGconn *connection = PQconnectdb(environment("STOWAGE_POSTGRES_CONNECTION_STRING"));
	const char *group = option(argc, argv, "group", NULL);
	int64_t from = option_number(argc, argv, "from", 0), until = option_number(argc, argv, "until", 0);
	int64_t due = option_number(argc, argv, "lanes", 0), lanes;
	char sql[256];

	if (PQstatus(connection) != CONNECTION_OK)
		die("%s", PQerrorMessage(connection));
	snprintf(sql, sizeof sql, "SELECT COALESCE(sum(applied), 0), count(*) FROM \"%s\".stowage_lanes WHERE group_id = $1",
		option(argc, argv, "schema", NULL));
	say("ready", from);
	bool begun = false;
	int64_t last = -1, moved = now_ns();
	for (;;) {
		int64_t count = applied(connection, sql, group, &lanes);
		if (!begun && (due > 0 ? lanes >= due : count > from)) {
			begun = true;
			say("begin", count);
		}
		if (count >= until)
			break;
		if (count != last) {
			last = count;
			moved = now_ns();
		} else if (now_ns() - moved > STALLED_NS) {
			die("no progress for three minutes at %lld of %lld", (long long)count, (long long)until);
		}
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	say("end", until);
	PQfinish(connection);
	return 0;
}
