/*
 * read.h - values derived from a stored span
 */
#ifndef HANDLERS_DOMAINS_OBSERVABILITY_READ_H
#define HANDLERS_DOMAINS_OBSERVABILITY_READ_H

#include "handlers/core/context.h"
#include "schemas/json/json.h"

/* The TraceStatus of a span: "error", "running" or "success". */
struct datum span_status(const struct datum *error, const struct datum *ended_at);

/* The short text that a list shows for a span's input, up to SPAN_PREVIEW_BYTES; null if there is none. In
 * the arena. */
#define SPAN_PREVIEW_BYTES 512
struct datum span_preview(struct arena *arena, const struct datum *input);

#endif
