/* http_deadline.c - a list of connections, and the thread that shuts late ones down */
#include "worker/telemetry/http_deadline.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"

#define LOOK_MS 250

struct http_connection {
	struct http_connection *next, **link;
	int fd;
	int64_t since; /* clock_tick_ms */
};

struct http_deadline {
	pthread_t thread;
	pthread_mutex_t mutex;
	int64_t most_ms;
	bool stopping;
	struct http_connection *first;
};

static bool http_deadline_look(struct http_deadline *deadline)
{
	int64_t now = clock_tick_ms();
	pthread_mutex_lock(&deadline->mutex);
	bool stopping = deadline->stopping;
	/* libmicrohttpd sees the end of the connection and closes the socket. */
	for (struct http_connection *at = deadline->first; at; at = at->next)
		if (now - at->since > deadline->most_ms)
			shutdown(at->fd, SHUT_RDWR);
	pthread_mutex_unlock(&deadline->mutex);
	return !stopping;
}

static void *http_deadline_run(void *arg)
{
	while (http_deadline_look(arg))
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000L }, NULL);
	return NULL;
}

struct http_deadline *http_deadline_start(int seconds)
{
	struct http_deadline *deadline = alloc_zero(1, sizeof(*deadline));
	deadline->most_ms = (int64_t)seconds * 1000;
	pthread_mutex_init(&deadline->mutex, NULL);
	if (pthread_create(&deadline->thread, NULL, http_deadline_run, deadline) == 0)
		return deadline;
	pthread_mutex_destroy(&deadline->mutex);
	free(deadline);
	return NULL;
}

void http_deadline_stop(struct http_deadline *deadline)
{
	if (!deadline)
		return;
	pthread_mutex_lock(&deadline->mutex);
	deadline->stopping = true;
	pthread_mutex_unlock(&deadline->mutex);
	pthread_join(deadline->thread, NULL);
	pthread_mutex_destroy(&deadline->mutex);
	free(deadline);
}

struct http_connection *http_deadline_begin(struct http_deadline *deadline, int fd)
{
	struct http_connection *connection = alloc_zero(1, sizeof(*connection));
	connection->fd = fd;
	connection->since = clock_tick_ms();
	pthread_mutex_lock(&deadline->mutex);
	connection->link = &deadline->first;
	connection->next = deadline->first;
	if (connection->next)
		connection->next->link = &connection->next;
	deadline->first = connection;
	pthread_mutex_unlock(&deadline->mutex);
	return connection;
}

void http_deadline_end(struct http_deadline *deadline, struct http_connection *connection)
{
	pthread_mutex_lock(&deadline->mutex);
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	pthread_mutex_unlock(&deadline->mutex);
	free(connection);
}
