/*
 * message_list.h - what @mastra/core's MessageList makes of messages from storage
 *
 * The reference passes every list of messages it returns through `new MessageList()
 * .add(messages, 'memory').get.all.db()`. Its observable effect, found by experiment:
 * - system messages are dropped;
 * - content with format 2 keeps its members; `parts` loses what is no object (and is [] if it
 *   is no array); a `toolInvocations` entry without args takes those of its part;
 * - text content becomes format 2 with one text part; such a message loses its type, and role
 *   `tool` becomes `assistant`;
 * - of two messages with one id whose parts are the same the first stays, else the second takes
 *   its place;
 * - the list is ordered by createdAt, stable.
 *
 * Not reproduced: content of other shapes (message arrays of older formats) is returned as it
 * is stored, where the reference converts it; text that happens to be a JSON number, boolean or
 * null stays text, where the reference throws; sealed messages (metadata.mastra.sealed) that
 * come twice in one command are replaced as others are.
 */
#ifndef HANDLERS_DOMAINS_MEMORY_MESSAGE_LIST_H
#define HANDLERS_DOMAINS_MEMORY_MESSAGE_LIST_H

#include "handlers/core/context.h"

struct message_list;

struct message_list *message_list_new(struct arena *arena);

/* Adds a mastra.memory.Message whose `content` is what the column holds (text, or JSON). The
 * record is copied, its texts are not. */
void message_list_add(struct message_list *list, const struct datum *message);

/* The messages in their order, as an array of records. Nothing may be added thereafter. */
struct datum message_list_result(struct message_list *list);

/* The same ordered by createdAt and then id, as the list methods order their pages. */
struct datum message_list_sorted(struct message_list *list, bool descending);

/* What the column `content` holds as a JSON value: itself if it is an object, an array or a
 * string, else (any other text) a JSON string. */
struct json message_content(struct arena *arena, const struct datum *column);

/* Order of two ids as String.prototype.localeCompare has it (the root collation; characters
 * beyond ASCII by their bytes). */
int message_id_compare(const struct datum *a, const struct datum *b);

#endif
