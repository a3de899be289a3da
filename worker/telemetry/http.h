/*
 * http.h - /metrics, /livez and /readyz
 *
 * Two threads of libmicrohttpd's own, which call `ready` and `live`; both write into `why` one
 * line that is sent with the answer, and must not block for long. Connections are bounded in
 * number and time. No authentication: the address is the operator's choice.
 */
#ifndef WORKER_TELEMETRY_HTTP_H
#define WORKER_TELEMETRY_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/telemetry/log.h"
#include "worker/telemetry/metrics.h"

struct http;

typedef bool http_probe_fn(void *ctx, char *why, size_t why_size);

/* `address` is host:port, [::1]:port or :port; port 0 takes any free one, the log says which.
 * NULL: `err` says why (the port is taken, ...). All that is given must outlive the server. */
struct http *http_start(const char *address, struct metrics *metrics, http_probe_fn *ready,
	http_probe_fn *live, void *ctx, struct log *log, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* Ends it; no probe is called any more when this returns. NULL is no server. */
void http_stop(struct http *http);

#endif
