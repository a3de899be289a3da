/*
 * message_parts.h - the parts inside a message's content of format 2
 */
#ifndef HANDLERS_DOMAINS_MEMORY_MESSAGE_PARTS_H
#define HANDLERS_DOMAINS_MEMORY_MESSAGE_PARTS_H

#include "schemas/json/json.h"

/* Content (in normal form) as the reference hands it out: see message_list.h. Content of
 * another format is returned as it is. */
struct json message_parts_tidy(struct arena *arena, struct json content);

/* A key that is the same for two contents whose parts the reference takes for the same. */
struct json message_parts_key(struct arena *arena, struct json content);

#endif
