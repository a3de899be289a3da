/*
 * read.h - what is derived from a stored span
 */
#ifndef HANDLERS_DOMAINS_OBSERVABILITY_READ_H
#define HANDLERS_DOMAINS_OBSERVABILITY_READ_H

#include "handlers/core/context.h"
#include "schemas/json/json.h"

/* TraceStatus of a span: by its error, then its end. */
struct datum span_status(const struct datum *error, const struct datum *ended_at);

/* The short text that stands for a span's input in a list; null if it has none. */
struct datum span_preview(struct arena *arena, const struct datum *input);

#endif
