/* workload_spans.c - generates the spans of the span figures */
#include "workload_spans.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "workload.h"

struct step {
	const char *type, *name, *entity_type, *entity_id, *entity_name;
	unsigned parent; /* position in the trace */
};

/* The positions in a trace; the first is its root. */
static const struct step STEPS[WORKLOAD_SPANS_A_TRACE] = {
	{ "agent_run", "agent run: 'support-agent'", "agent", "support-agent", "Support agent", 0 },
	{ "processor_run", "input processor: moderation", "input_processor", "moderation",
		"Moderation", 0 },
	{ "memory_operation", "memory: recall", "memory", "recall", "Recall", 0 },
	{ "model_generation", "llm: 'gpt-4o'", "agent", "support-agent", "Support agent", 0 },
	{ "model_step", "step: 0", "agent", "support-agent", "Support agent", 3 },
	{ "tool_call", "tool: 'search_orders'", "tool", "search_orders", "Search orders", 4 },
	{ "model_step", "step: 1", "agent", "support-agent", "Support agent", 3 },
	{ "tool_call", "tool: 'issue_refund'", "tool", "issue_refund", "Issue refund", 6 },
};

static const char QUESTION[] =
	"I ordered a red bicycle three weeks ago and it came without its left pedal; I would like to "
	"have the pedal sent or, if that takes longer than a week, my money back.";
static const char ANSWER[] =
	"I am sorry to hear that. I have found your order, the warehouse has the pedal in stock and "
	"sends it today, so that it should be with you within three days. Is there anything else "
	"that I can do for you?";

/* ---------------------------------------------------------------- values */

static struct workload_value *add(struct workload_span *span, const char *name,
	enum workload_kind kind)
{
	struct workload_value *value = &span->values[span->count++];

	*value = (struct workload_value){ .name = name, .kind = kind };
	return value;
}

static void add_number(struct workload_span *span, const char *name, enum workload_kind kind,
	int64_t number)
{
	add(span, name, kind)->number = number;
}

/* `text` must outlive the span; NULL: null. */
static void add_text(struct workload_span *span, const char *name, enum workload_kind kind,
	const char *text)
{
	struct workload_value *value = add(span, name, kind);

	value->text = text;
	value->size = text == NULL ? 0 : strlen(text);
}

static void __attribute__((format(printf, 4, 5))) add_made(struct workload_span *span,
	const char *name, enum workload_kind kind, const char *format, ...)
{
	struct workload_value *value = add(span, name, kind);
	size_t room = sizeof span->space - span->used;
	va_list args;

	va_start(args, format);
	int size = vsnprintf(span->space + span->used, room, format, args);
	va_end(args);
	if (size < 0 || (size_t)size >= room)
		die("a span beyond %d bytes", WORKLOAD_SPAN_SPACE);
	value->text = span->space + span->used;
	value->size = (size_t)size;
	span->used += (size_t)size + 1;
}

/* ---------------------------------------------------------------- a span */

static unsigned long long id_of(uint64_t trace, unsigned place)
{
	return workload_mix(trace * WORKLOAD_SPANS_A_TRACE + place);
}

static void add_names(struct workload_span *span, uint64_t trace, unsigned place)
{
	const struct step *step = &STEPS[place];

	add_text(span, "traceId", WORKLOAD_TEXT, span->trace_id);
	add_made(span, "spanId", WORKLOAD_TEXT, "%016llx", id_of(trace, place));
	if (place == 0)
		add_text(span, "parentSpanId", WORKLOAD_TEXT, NULL);
	else
		add_made(span, "parentSpanId", WORKLOAD_TEXT, "%016llx",
			id_of(trace, step->parent));
	add_text(span, "name", WORKLOAD_TEXT, step->name);
	add_text(span, "spanType", WORKLOAD_TEXT, step->type);
	add_number(span, "isEvent", WORKLOAD_BOOL, 0);
	add_text(span, "entityType", WORKLOAD_TEXT, step->entity_type);
	add_text(span, "entityId", WORKLOAD_TEXT, step->entity_id);
	add_text(span, "entityName", WORKLOAD_TEXT, step->entity_name);
}

/* The user of the run: the same in all spans of a trace. */
static void add_context(struct workload_span *span, uint64_t trace)
{
	unsigned long long run = workload_mix(~trace);

	add_made(span, "userId", WORKLOAD_TEXT, "user-%06llu", run % 5000);
	add_made(span, "organizationId", WORKLOAD_TEXT, "org-%04llu", run % 200);
	add_made(span, "resourceId", WORKLOAD_TEXT, "user-%06llu", run % 5000);
	add_made(span, "runId", WORKLOAD_TEXT, "run-%016llx", run);
	add_made(span, "sessionId", WORKLOAD_TEXT, "session-%08llx", run >> 40);
	add_made(span, "threadId", WORKLOAD_TEXT, "thread-%08llx", run >> 36);
	add_made(span, "requestId", WORKLOAD_TEXT, "%016llx", run ^ 0xffff);
	add_text(span, "environment", WORKLOAD_TEXT, "production");
	add_text(span, "serviceName", WORKLOAD_TEXT, "support-service");
}

static void add_contents(struct workload_span *span, uint64_t i, unsigned place)
{
	unsigned long long random = workload_mix(i ^ UINT64_C(0x5bd1e995));

	add_made(span, "metadata", WORKLOAD_JSON,
		"{\"region\":\"eu-central-1\",\"plan\":\"%s\",\"release\":\"2026.%llu\",\"attempt\":%llu}",
		random & 1 ? "pro" : "free", random % 40, random % 3);
	add_text(span, "tags", WORKLOAD_TEXTS, place == 0 ? "[\"support\",\"web\"]" : NULL);
	add_made(span, "attributes", WORKLOAD_JSON,
		"{\"model\":\"gpt-4o\",\"provider\":\"openai\",\"streaming\":true,\"parameters\":"
		"{\"temperature\":0.%llu,\"maxOutputTokens\":2048},\"usage\":{\"inputTokens\":%llu,"
		"\"outputTokens\":%llu}}",
		random % 9 + 1, random % 4000, random % 900);
	add_made(span, "input", WORKLOAD_JSON,
		"{\"messages\":[{\"role\":\"user\",\"content\":\"%016llx %s\"}]}", random,
		QUESTION);
	add_made(span, "output", WORKLOAD_JSON,
		"{\"text\":\"%016llx %s\",\"finishReason\":\"stop\"}", random, ANSWER);
}

void workload_span(struct workload_span *out, uint64_t i)
{
	unsigned place = (unsigned)(i % WORKLOAD_SPANS_A_TRACE);
	int64_t started = WORKLOAD_FIRST_MS + (int64_t)i;

	out->trace = i / WORKLOAD_SPANS_A_TRACE;
	out->count = 0;
	out->used = 0;
	uint64_t high = workload_mix(out->trace ^ UINT64_C(0xa5a5a5a5a5a5a5a5));
	snprintf(out->trace_id, sizeof out->trace_id, "%016llx%016llx", (unsigned long long)high,
		(unsigned long long)workload_mix(high));
	add_names(out, out->trace, place);
	add_context(out, out->trace);
	add_number(out, "startedAt", WORKLOAD_TIME, started);
	add_number(out, "endedAt", WORKLOAD_TIME, started + 20 + (int64_t)(high % 3000));
	add_contents(out, i, place);
	if (out->count != WORKLOAD_SPAN_VALUES)
		die("a span of %zu columns", out->count);
}
