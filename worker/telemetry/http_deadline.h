/*
 * http_deadline.h - ends HTTP connections whose request takes too long
 *
 * libmicrohttpd only ends connections on which nothing moves. A client that sends a byte now and
 * then would keep its connection for ever, and a few dozen of them would shut all others out.
 *
 * A thread of its own looks at the connections. The other functions are for libmicrohttpd's threads.
 */
#ifndef WORKER_TELEMETRY_HTTP_DEADLINE_H
#define WORKER_TELEMETRY_HTTP_DEADLINE_H

#include <stdbool.h>

struct http_deadline;
struct http_connection;

/* A connection may last `seconds`: it serves one request. NULL: the thread could not start. */
struct http_deadline *http_deadline_start(int seconds);
/* The connections must have ended. NULL is fine. */
void http_deadline_stop(struct http_deadline *deadline);

/* A connection begins on the socket `fd`; it ends, before the socket closes. */
struct http_connection *http_deadline_begin(struct http_deadline *deadline, int fd);
void http_deadline_end(struct http_deadline *deadline, struct http_connection *connection);

#endif
