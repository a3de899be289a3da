/*
 * span_types.h - the span types of Mastra, which scores use as entity types too
 */
#ifndef HANDLERS_CORE_SPAN_TYPES_H
#define HANDLERS_CORE_SPAN_TYPES_H

/* Ends in NULL. */
extern const char *const span_types[];

#endif
