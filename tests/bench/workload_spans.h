/*
 * workload_spans.h - the spans that all sides of the span figures write
 *
 * Span i is the same on every call and in every program. Eight spans are a trace, an agent's run
 * with its model, its tools and what is around them; ids are random-looking, as tracers make
 * them. A span is 1.1 to 1.2 KB in 25 columns, of which a root has no parent, and only it has tags.
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
	const char *text; /* of a text, JSON or (as a JSON array) texts; NULL: null */
	size_t size;
	int64_t number; /* of a time in milliseconds since 1970, or a boolean */
};

/* Values point into space or to constants: the struct is not to be copied. */
struct workload_span {
	uint64_t trace;
	char trace_id[33];
	struct workload_value values[WORKLOAD_SPAN_VALUES];
	size_t count; /* of values given so far, while it is made */
	size_t used;
	char space[WORKLOAD_SPAN_SPACE];
};

void workload_span(struct workload_span *out, uint64_t i);

#endif
