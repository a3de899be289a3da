/*
 * message_v1.h - content of messages of older formats, as @mastra/core's MessageList converts it
 *
 * Databases that were upgraded hold texts and arrays of parts (text, tool-call, tool-result, reasoning,
 * image, file) where newer releases store an object of format 2.
 */
#ifndef HANDLERS_DOMAINS_MEMORY_MESSAGE_V1_H
#define HANDLERS_DOMAINS_MEMORY_MESSAGE_V1_H

#include "schemas/json/json.h"

/* The args of a tool call in the messages before: JSON, or absent. */
typedef struct json message_v1_args_fn(void *list, struct json call_id);

struct message_v1 {
	struct json content; /* in normal form */
	bool assistant;      /* the role is `assistant` */
	message_v1_args_fn *args;
	void *list; /* for args */
};

/* Is it content of an older format: a text, an array, or an object without a format? */
bool message_v1_is(struct json content);

/* Returns the content as format 2, in the arena. Parts of unknown types, and items that are no parts,
 * are left out. */
struct json message_v1_convert(struct arena *arena, const struct message_v1 *message);

#endif
