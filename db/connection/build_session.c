/* build_session.c - running long statements with a callback once a second */
#include "db/connection/build_session.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_MS 1000
/* If a cancelled statement does not end within this time, the session gives up the connection. */
#define CANCEL_MS 10000

struct build_session {
	PGconn *pg;
	int64_t cancelled_at; /* 0: not */
};

static int64_t build_session_now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void build_session_ignore_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

static void build_session_report_lost(PGconn *pg, struct db_failure *failure)
{
	*failure = (struct db_failure){ .kind = DB_LOST };
	snprintf(failure->message, sizeof(failure->message), "%s", PQerrorMessage(pg));
	size_t len = strlen(failure->message);
	while (len > 0 && failure->message[len - 1] == '\n')
		failure->message[--len] = '\0';
}

static void build_session_set(struct build_session *session, const char *sql)
{
	PQclear(PQexec(session->pg, sql));
}

struct build_session *build_session_open(const struct connection_options *options,
	struct db_failure *failure)
{
	PGconn *pg = options->connect(options->connect_arg);
	if (PQstatus(pg) != CONNECTION_OK || PQsetnonblocking(pg, 1)) {
		build_session_report_lost(pg, failure);
		PQfinish(pg);
		return NULL;
	}
	struct build_session *session = calloc(1, sizeof(*session));
	if (!session)
		abort();
	session->pg = pg;
	PQsetNoticeReceiver(pg, build_session_ignore_notice, NULL);
	build_session_set(session, "SET statement_timeout = 0");
	build_session_set(session, "SET lock_timeout = 0");
	/* Not supported on every system; then the statement fails and changes nothing. */
	build_session_set(session, "SET client_connection_check_interval = '5s'");
	return session;
}

void build_session_close(struct build_session *session)
{
	if (!session)
		return;
	PQfinish(session->pg);
	free(session);
}

static void build_session_cancel(struct build_session *session)
{
	char error[256];
	PGcancel *request = PQgetCancel(session->pg);
	session->cancelled_at = build_session_now_ms();
	if (request)
		PQcancel(request, error, sizeof(error));
	PQfreeCancel(request);
}

/* Waits for the server or the wake-up, up to the next tick. -1: the connection is lost. 1: woken up; a
 * wake-up does not count after a cancellation. */
static int build_session_wait(struct build_session *session, int wake_fd, int64_t tick_at)
{
	int64_t left = tick_at - build_session_now_ms();
	int rest = PQflush(session->pg);
	struct pollfd fds[2] = {
		{ .fd = PQsocket(session->pg),
			.events = (short)(rest == 1 ? POLLIN | POLLOUT : POLLIN) },
		{ .fd = session->cancelled_at ? -1 : wake_fd, .events = POLLIN },
	};
	int n = rest < 0 ? -1 : poll(fds, 2, left < 0 ? 0 : (int)left);
	if (n < 0)
		return rest >= 0 && errno == EINTR ? 0 : -1;
	if (fds[0].revents && !PQconsumeInput(session->pg))
		return -1;
	return fds[1].revents ? 1 : 0;
}

/* False: the connection is lost, or a cancelled statement did not end in time. */
static bool build_session_wait_result(struct build_session *session,
	const struct build_session_watch *watch)
{
	int64_t tick_at = build_session_now_ms() + TICK_MS;
	while (PQisBusy(session->pg)) {
		int woken = build_session_wait(session, watch->wake_fd, tick_at);
		if (woken < 0 ||
			(session->cancelled_at &&
				build_session_now_ms() - session->cancelled_at > CANCEL_MS))
			return false;
		if (!woken && build_session_now_ms() < tick_at)
			continue;
		tick_at = build_session_now_ms() + TICK_MS;
		if (!session->cancelled_at && PQisBusy(session->pg) && !watch->tick(watch->arg))
			build_session_cancel(session);
	}
	return true;
}

static void build_session_take_failure(PGconn *pg, const PGresult *result,
	struct db_failure *failure)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	if (!state) {
		build_session_report_lost(pg, failure);
		return;
	}
	*failure = (struct db_failure){ .kind = db_kind_of(state) };
	snprintf(failure->sqlstate, sizeof(failure->sqlstate), "%s", state);
	snprintf(failure->message, sizeof(failure->message), "%s", message ? message : "");
}

static enum db_kind build_session_take_result(struct build_session *session, PGresult *result,
	char **value, struct db_failure *failure)
{
	ExecStatusType status = PQresultStatus(result);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
		build_session_take_failure(session->pg, result, failure);
		return failure->kind;
	}
	if (value && PQntuples(result) > 0 && !PQgetisnull(result, 0, 0)) {
		*value = strdup(PQgetvalue(result, 0, 0));
		if (!*value)
			abort();
	}
	return DB_OK;
}

enum db_kind build_session_run(struct build_session *session, const char *sql,
	const struct build_session_watch *watch, char **value, struct db_failure *failure)
{
	enum db_kind kind = DB_OK;
	if (value)
		*value = NULL;
	session->cancelled_at = 0;
	if (!PQsendQuery(session->pg, sql) || !build_session_wait_result(session, watch)) {
		build_session_report_lost(session->pg, failure);
		return DB_LOST;
	}
	PGresult *result;
	while ((result = PQgetResult(session->pg))) {
		if (kind == DB_OK)
			kind = build_session_take_result(session, result, value, failure);
		PQclear(result);
	}
	if (PQstatus(session->pg) != CONNECTION_OK)
		kind = failure->kind = DB_LOST;
	return kind;
}
