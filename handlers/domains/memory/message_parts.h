/*
 * message_parts.h - the parts in a message's content of format 2
 *
 * Results live in the arena, or point into the content.
 */
#ifndef HANDLERS_DOMAINS_MEMORY_MESSAGE_PARTS_H
#define HANDLERS_DOMAINS_MEMORY_MESSAGE_PARTS_H

#include "schemas/json/json.h"

/* Returns the content (in normal form) as MessageList does: parts that are no objects removed, args
 * of tool invocations completed. Content of another format is returned as it is. */
struct json message_parts_normalise(struct arena *arena, struct json content);

/* A key that is equal for two contents if the reference considers their parts the same. */
struct json message_parts_key(struct arena *arena, struct json content);

#endif
