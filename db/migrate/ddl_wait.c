/* ddl_wait.c - waits on the socket, and keeps the lock's session alive meanwhile */
#include "db/migrate/ddl_wait.h"

#include <poll.h>
#include <stdbool.h>

#define BEAT_MS 1000

static void ddl_wait_cancel(PGconn *conn)
{
	char error[256];
	PGcancel *request = PQgetCancel(conn);

	if (request)
		(void)PQcancel(request, error, sizeof(error));
	PQfreeCancel(request);
}

PGresult *ddl_wait_result(PGconn *conn, struct ddl_lock *lock, int sent)
{
	PGresult *last = NULL, *next;
	bool cancelled = false;

	if (!sent)
		return PQmakeEmptyPGresult(conn, PGRES_FATAL_ERROR);
	do {
		while (PQisBusy(conn)) {
			struct pollfd fd = { .fd = PQsocket(conn), .events = POLLIN };
			if (lock && !ddl_lock_beat(lock) && !cancelled) {
				ddl_wait_cancel(conn);
				cancelled = true;
			}
			if (poll(&fd, 1, BEAT_MS) > 0 && !PQconsumeInput(conn))
				break; /* PQgetResult reports it */
		}
		next = PQgetResult(conn);
		if (next) {
			PQclear(last);
			last = next;
		}
	} while (next && PQstatus(conn) == CONNECTION_OK);
	return last ? last : PQmakeEmptyPGresult(conn, PGRES_FATAL_ERROR);
}

PGresult *ddl_wait_for(PGconn *conn, struct ddl_lock *lock, const char *sql)
{
	return ddl_wait_result(conn, lock, PQsendQuery(conn, sql));
}

void ddl_wait_ms(struct ddl_lock *lock, long ms)
{
	for (; ms > 0; ms -= BEAT_MS) {
		if (lock)
			(void)ddl_lock_beat(lock);
		poll(NULL, 0, (int)(ms < BEAT_MS ? ms : BEAT_MS));
	}
}
