/*
 * http.h - the HTTP server for /metrics, /livez and /readyz
 *
 * Two threads of libmicrohttpd call `ready` and `live`. Both probes write one line to `why`, which
 * becomes the response's body, and must not block for long. The number and the duration of
 * connections are limited. There is no authentication: the operator chooses the address.
 */
#ifndef WORKER_TELEMETRY_HTTP_H
#define WORKER_TELEMETRY_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/telemetry/log.h"
#include "worker/telemetry/metrics.h"

struct http;

typedef bool http_probe_fn(void *ctx, char *why, size_t why_size);

/* `address` is host:port, [::1]:port or :port. Port 0 selects a free port, which the log shows. On
 * failure returns NULL and writes the reason to `err`. All arguments except `address` and `err`
 * must outlive the server. */
struct http *http_start(const char *address, struct metrics *metrics, http_probe_fn *ready,
	http_probe_fn *live, void *ctx, struct log *log, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* Stops the server. After it returns, no probe runs. NULL is no server. */
void http_stop(struct http *http);

#endif
