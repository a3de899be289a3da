/*
 * span_types.h - the span types of Mastra (enum SpanType of @mastra/core)
 *
 * Spans have them as their type; scores also accept them as entity types.
 */
#ifndef HANDLERS_CORE_SPAN_TYPES_H
#define HANDLERS_CORE_SPAN_TYPES_H

/* NULL-terminated: a list for choice.h. */
extern const char *const span_types[];

#endif
