/*
 * http.c - tests of worker/telemetry/http.c, over a socket
 */
#define _DEFAULT_SOURCE /* usleep */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/telemetry/http.h"

static bool is_ready;
static struct log *quiet;
static struct metrics *metrics;
static struct http *http;
static int port;
static char answer[65536];

static bool ready(void *ctx, char *why, size_t why_size)
{
	(void)ctx;
	if (!is_ready)
		snprintf(why, why_size, "no database");
	return is_ready;
}

static bool live(void *ctx, char *why, size_t why_size)
{
	(void)ctx;
	(void)why;
	(void)why_size;
	return true;
}

/* A port that was free just now. */
static int free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void init(void)
{
	char text[32], why[256];

	quiet = log_new(LOG_ERROR, LOG_LOGFMT, STDERR_FILENO);
	metrics = metrics_new(NULL, 0);
	port = free_port();
	snprintf(text, sizeof(text), "127.0.0.1:%d", port);
	http = http_start(text, metrics, ready, live, NULL, quiet, why, sizeof(why));
	cr_assert_not_null(http, "%s", why);
}

static void fini(void)
{
	http_stop(http);
	metrics_free(metrics);
	log_free(quiet);
}

TestSuite(http, .init = init, .fini = fini);

/* Connects from 127.0.0.`host`. */
static int connect_from(unsigned host)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl((INADDR_LOOPBACK & ~0xffu) + host) };
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Sends a request and reads the whole response. Returns its status. */
static int ask(const char *method, const char *path)
{
	int fd = connect_from(1), status = 0;
	size_t used = 0;
	ssize_t got;

	dprintf(fd, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method, path);
	while ((got = read(fd, answer + used, sizeof(answer) - 1 - used)) > 0)
		used += (size_t)got;
	close(fd);
	answer[used] = '\0';
	cr_assert_eq(sscanf(answer, "HTTP/1.1 %d", &status), 1, "%s", answer);
	return status;
}

Test(http, probes_return_the_reason)
{
	is_ready = false;
	cr_assert_eq(ask("GET", "/readyz"), 503);
	cr_assert_not_null(strstr(answer, "\r\n\r\nno database\n"));
	is_ready = true;
	cr_assert_eq(ask("GET", "/readyz"), 200);
	cr_assert_not_null(strstr(answer, "\r\n\r\nok\n"));
	cr_assert_eq(ask("GET", "/livez"), 200);
}

Test(http, metrics_are_served)
{
	metrics_add(metrics, METRIC_BATCHES, 42);
	cr_assert_eq(ask("GET", "/metrics"), 200);
	cr_assert_not_null(strstr(answer, "text/plain; version=0.0.4"));
	cr_assert_not_null(strstr(answer, "\nstowage_batches_total 42\n"));
	cr_assert_eq(ask("HEAD", "/metrics"), 200);
}

/* Reads until the server ends the connection. */
static void await_end(int fd)
{
	char bytes[256];
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	close(fd);
}

Test(http, one_address_cannot_take_all_connections)
{
	enum { MANY = 200 };
	int fds[MANY];

	for (int i = 0; i < MANY; i++)
		fds[i] = connect_from(2);
	/* Those beyond the limit end at once. */
	for (int i = 20; i < MANY; i++)
		await_end(fds[i]);
	cr_assert_eq(recv(fds[0], answer, 1, MSG_DONTWAIT), -1, "the first one is open");
	cr_assert_eq(ask("GET", "/livez"), 200);
	for (int i = 0; i < 20; i++)
		close(fds[i]);
}

/* Each byte would count as activity. */
Test(http, a_request_that_never_ends_is_ended)
{
	int fd = connect_from(1);
	bool open = true;
	char byte;

	for (int i = 0; open && i < 300; i++) {
		open = send(fd, "x", 1, MSG_NOSIGNAL) == 1 &&
			(recv(fd, &byte, 1, MSG_DONTWAIT) != 0);
		usleep(100000);
	}
	cr_assert_not(open);
	close(fd);
}

Test(http, other_paths_and_methods)
{
	cr_assert_eq(ask("GET", "/"), 404);
	cr_assert_eq(ask("GET", "/metrics/x"), 404);
	cr_assert_eq(ask("POST", "/metrics"), 405);
}

Test(http, a_port_that_is_taken_is_a_clear_error)
{
	char text[32], why[256];

	snprintf(text, sizeof(text), "127.0.0.1:%d", port);
	cr_assert_null(http_start(text, metrics, ready, live, NULL, quiet, why, sizeof(why)));
	cr_assert_not_null(strstr(why, text));
	cr_assert_not_null(strstr(why, "in use"));
	cr_assert_null(http_start("nohost.invalid:1", metrics, ready, live, NULL, quiet, why,
		sizeof(why)));
	cr_assert_not_null(strstr(why, "nohost.invalid"));
}
