/*
 * tool_calls.h - the arguments of the tool calls in a list of messages, by call id
 *
 * Of several messages with one call id the last in the list counts.
 *
 * In the arena; executor's thread only.
 */
#ifndef HANDLERS_DOMAINS_MEMORY_TOOL_CALLS_H
#define HANDLERS_DOMAINS_MEMORY_TOOL_CALLS_H

#include <stdint.h>

#include "schemas/json/json.h"

struct tool_calls;

struct tool_calls *tool_calls_new(struct arena *arena);

/* Adds the calls in a message's content of format 2. The message is at `place` (time, then rank) in the
 * list. The content must outlive the index. */
struct tool_place {
	int64_t time;
	int64_t rank;
};
void tool_calls_add(struct tool_calls *calls, struct json content, struct tool_place place);

/* The args of the call with this id (JSON; absent matches a call without an id); absent if there are
 * none. */
struct json tool_calls_args(const struct tool_calls *calls, struct json id);

#endif
