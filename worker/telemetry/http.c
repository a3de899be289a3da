/*
 * http.c - the HTTP server for /metrics, /livez and /readyz, with libmicrohttpd
 */
#include "worker/telemetry/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "schemas/base/address.h"
#include "schemas/base/alloc.h"
#include "worker/telemetry/http_deadline.h"

#define THREADS 2
/* Of all clients, and of one address: no client shuts the others out. */
#define CONNECTIONS_MAX 128
#define CONNECTIONS_PER_ADDRESS 8
/* For a request and its answer. */
#define REQUEST_SECONDS 5
#define CONNECTION_MEMORY 16384
#define WHY_MAX 512

struct http {
	struct MHD_Daemon *daemon;
	struct http_deadline *deadline;
	struct metrics *metrics;
	http_probe_fn *ready, *live;
	void *ctx;
};

static enum MHD_Result http_answer(struct MHD_Connection *connection, unsigned status,
	const char *type, char *body, size_t size)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(size, body,
		MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response) {
		free(body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer_line(struct MHD_Connection *connection, unsigned status,
	const char *line)
{
	char *body = alloc_printf("%s\n", line);

	return http_answer(connection, status, "text/plain; charset=utf-8", body, strlen(body));
}

static enum MHD_Result answer_probe(struct MHD_Connection *connection, struct http *http,
	http_probe_fn *probe)
{
	char why[WHY_MAX] = "";
	bool good = probe(http->ctx, why, sizeof(why));

	return answer_line(connection, good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
		*why           ? why
			: good ? "ok"
			       : "failed");
}

static enum MHD_Result answer_metrics(struct MHD_Connection *connection, struct http *http)
{
	char *body = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&body, &size);

	if (!out)
		return MHD_NO;
	metrics_print(http->metrics, out);
	fclose(out);
	return http_answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
		body, size);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *data_size, void **state)
{
	struct http *http = arg;

	(void)version;
	(void)data;
	(void)data_size;
	(void)state;
	/* libmicrohttpd closes the connection after a response that precedes the body: that rejects
	 * bodies. */
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_line(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
	if (strcmp(url, "/metrics") == 0)
		return answer_metrics(connection, http);
	if (strcmp(url, "/livez") == 0)
		return answer_probe(connection, http, http->live);
	if (strcmp(url, "/readyz") == 0)
		return answer_probe(connection, http, http->ready);
	return answer_line(connection, MHD_HTTP_NOT_FOUND,
		"not found: the paths are /metrics, /livez and /readyz");
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	struct http *http = arg;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection,
		MHD_CONNECTION_INFO_CONNECTION_FD);

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*context = info ? http_deadline_begin(http->deadline, info->connect_fd) : NULL;
	else if (*context)
		http_deadline_end(http->deadline, *context);
}

/* Returns a listening socket for the address, or -1 with errno set. */
static int listen_on(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		info->ai_protocol);
	int on = 1, off = 0;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* "::" accepts IPv4, too. */
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, CONNECTIONS_MAX) == 0)
		return fd;
	on = errno;
	close(fd);
	errno = on;
	return -1;
}

static struct addrinfo *find_addresses(const struct address *address, const char *host, char *err,
	size_t err_size)
{
	const struct addrinfo wanted = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct addrinfo *list = NULL;
	int code = getaddrinfo(host, address->port, &wanted, &list);

	if (code == 0)
		return list;
	snprintf(err, err_size, "%s: %s", address->host, gai_strerror(code));
	return NULL;
}

/* Listens on the first usable address of the host. For all interfaces it tries IPv6 first, which
 * accepts both, then IPv4 for machines without IPv6. */
static int open_socket(const char *text, char *err, size_t err_size)
{
	struct address address;
	struct addrinfo *list;
	int fd = -1;

	if (!address_parse(text, &address, err, err_size))
		return -1;
	list = find_addresses(&address, address.host[0] ? address.host : "::", err, err_size);
	for (const struct addrinfo *at = list; at && fd < 0; at = at->ai_next)
		fd = listen_on(at);
	if (list && fd < 0 && !address.host[0] && errno == EAFNOSUPPORT) {
		freeaddrinfo(list);
		list = find_addresses(&address, "0.0.0.0", err, err_size);
		fd = list ? listen_on(list) : -1;
	}
	if (list && fd < 0)
		snprintf(err, err_size, "cannot listen on %s: %s%s", text, strerror(errno),
			errno == EADDRINUSE
				? "; does another worker use it? Each needs its own port"
				: "");
	if (list)
		freeaddrinfo(list);
	return fd;
}

static int bound_port(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		return 0;
	return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
						   : ((struct sockaddr_in *)&address)->sin_port);
}

static struct MHD_Daemon *http_daemon(struct http *http, int fd)
{
	return MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL,
		on_request, http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
		(unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_PER_ADDRESS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)REQUEST_SECONDS,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
}

struct http *http_start(const char *address, struct metrics *metrics, http_probe_fn *ready,
	http_probe_fn *live, void *ctx, struct log *log, char *err, size_t err_size)
{
	int fd = open_socket(address, err, err_size);
	struct http *http;

	if (fd < 0)
		return NULL;
	http = alloc_zero(1, sizeof(*http));
	*http = (struct http){ .metrics = metrics, .ready = ready, .live = live, .ctx = ctx };
	http->deadline = http_deadline_start(REQUEST_SECONDS);
	http->daemon = http->deadline ? http_daemon(http, fd) : NULL;
	if (!http->daemon) {
		snprintf(err, err_size, "cannot start the server: %s", strerror(errno));
		http_deadline_stop(http->deadline);
		close(fd);
		free(http);
		return NULL;
	}
	log_info(log, "serving metrics and health", LOG_STR("address", address),
		LOG_INT("port", bound_port(fd)));
	return http;
}

void http_stop(struct http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	http_deadline_stop(http->deadline);
	free(http);
}
