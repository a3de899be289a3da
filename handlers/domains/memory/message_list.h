/*
 * message_list.h - lists of messages as @mastra/core's MessageList returns them
 *
 * The reference passes every list of messages it returns through
 * `new MessageList().add(messages, 'memory').get.all.db()`. Its effect, found by experiment:
 * - it drops system messages;
 * - it keeps the members of content with format 2, but removes parts that are no objects (`parts`
 *   becomes [] if it is not an array), and copies missing `args` of a `toolInvocations` entry from
 *   its part;
 * - it turns content of older formats into format 2 (message_v1.h); such a message loses its type,
 *   and the role `tool` becomes `assistant`;
 * - of two messages with one id it keeps the first if their parts are the same, else the second;
 * - it sorts by createdAt, stably.
 *
 * Differences from the reference:
 * - content with a format that is not 2 is returned as stored; the reference drops it;
 * - items of an array that are no parts are left out, and an unknown role is kept; the reference throws;
 * - text that happens to be a JSON number, boolean or null stays text; the reference throws;
 * - a sealed message (metadata.mastra.sealed) that comes twice in one command is replaced like any other.
 *
 * A list lives in its arena. Executor's thread only.
 */
#ifndef HANDLERS_DOMAINS_MEMORY_MESSAGE_LIST_H
#define HANDLERS_DOMAINS_MEMORY_MESSAGE_LIST_H

#include "handlers/core/context.h"

struct message_list;

struct message_list *message_list_new(struct arena *arena);

/* Adds a mastra.memory.Message whose `content` is what the column holds (text or JSON). Copies the
 * record but not its texts, which must outlive the list. */
void message_list_add(struct message_list *list, const struct datum *message);

/* Returns the messages in MessageList's order, as an array of records. Ends the list: add no more. */
struct datum message_list_result(struct message_list *list);

/* The same, ordered by createdAt and then by id, as the list methods order a page. */
struct datum message_list_sorted(struct message_list *list, bool descending);

/* The column `content` as a JSON value in normal form: itself if it is an object, an array or a
 * string; a JSON string of the text otherwise. */
struct json message_content(struct arena *arena, const struct datum *column);

/* Compares two ids as String.prototype.localeCompare does with the root collation, but characters
 * beyond ASCII by their bytes. Returns a number below, equal to or above 0. */
int message_id_compare(const struct datum *a, const struct datum *b);

#endif
