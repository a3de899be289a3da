/*
 * workload_spans.h - the spans that all sides of the span figures write
 *
 * Span i is the same on every call and in every program. Eight spans are a trace: an agent's run with
 * its model, its tools and their surroundings. Ids look random, like a tracer's ids. A span has 1.1 to
 * 1.2 KB in 25 columns. A root span has no parent, and only a root span has tags.
 */
#ifndef WORKLOAD_SPANS_H
#define WORKLOAD_SPANS_H

#include <stddef.h>
#include <stdint.h>

#define WORKLOAD_SPANS_A_TRACE 8
#define WORKLOAD_SPAN_VALUES 25
#define WORKLOAD_SPAN_SPACE 2048

enum workload_kind { WORKLOAD_TEXT, WORKLOAD_BOOL, WORKLOAD_TIME, WORKLOAD_JSON, WORKLOAD_TEXTS };

struct workload_value {
	const char *name;
	enum workload_kind kind;
	const char *text; /* a text, JSON, or texts as a JSON array; NULL: null */
	size_t size;
	int64_t number; /* a time in milliseconds since 1970, or a boolean */
};

/* Values point into `space` or to constants, so do not copy the struct. */
struct workload_span {
	uint64_t trace;
	char trace_id[33];
	struct workload_value values[WORKLOAD_SPAN_VALUES];
	size_t count; /* values set so far, while the span is created */
	size_t used;
	char space[WORKLOAD_SPAN_SPACE];
};

void workload_span(struct workload_span *out, uint64_t i);

#endif
