/* message_list.c - the list of messages as @mastra/core's MessageList would return it */
#include "handlers/domains/memory/message_list.h"

#include <stdlib.h>
#include <string.h>

#include "fields.gen.h"
#include "handlers/core/keys.h"
#include "handlers/domains/memory/message_parts.h"
#include "handlers/domains/memory/message_v1.h"
#include "handlers/domains/memory/tool_calls.h"
#include "schemas/json/check.h"
#include "schemas/json/json.h"

/*
 * The reference sorts after every addition, with a stable sort. Here one sort at the end, by time and
 * then by rank, gives the same order. An added message ranks last among equal times. A replacement
 * moves from the place of the message it replaces: to before its equals if its time is later, to
 * behind them if it is earlier.
 */
struct listed {
	struct datum record;
	struct json key; /* of its parts: message_parts_key(), computed when first needed */
	int64_t rank;
};

struct message_list {
	struct arena *arena;
	struct keys *ids; /* an id's number is the index of its message */
	struct listed *messages;
	uint32_t room;
	int64_t first_rank;
	int64_t last_rank;
	struct tool_calls *calls; /* of the first `indexed` messages; NULL: none needed yet */
	uint32_t indexed;
};

struct message_list *message_list_new(struct arena *arena)
{
	struct message_list *list = arena_calloc(arena, 1, sizeof(*list));

	list->arena = arena;
	list->ids = keys_new(arena, 8);
	return list;
}

struct json message_content(struct arena *arena, const struct datum *column)
{
	struct json value = json_of(column);
	enum json_kind kind = json_kind(value);
	bool is_value = kind == JSON_OBJECT_KIND || kind == JSON_ARRAY_KIND ||
		kind == JSON_STRING_KIND;

	if (is_value &&
		json_check(column->text, column->size, JSON_DEPTH_MAXIMUM).verdict == JSON_VALID) {
		struct datum normal = json_normal(arena, column);
		return json_of(&normal);
	}
	struct json_text text = json_text_new(arena);
	json_text_string(&text, column->text, column->size);
	return json_text_end(&text);
}

static bool message_list_is_text(const struct datum *datum, const char *text)
{
	size_t len = strlen(text);

	return datum->kind == DATUM_TEXT && datum->size == len &&
		memcmp(datum->text, text, len) == 0;
}

static int64_t message_list_time(const struct listed *listed)
{
	return listed->record.items[MEMORY_MESSAGE__CREATED_AT].integer;
}

/* The args of a tool call in the list. The index is made when a message of an older format needs it. */
static struct json message_list_args(void *arg, struct json call_id)
{
	struct message_list *list = arg;

	if (!list->calls)
		list->calls = tool_calls_new(list->arena);
	for (; list->indexed < keys_count(list->ids); list->indexed++) {
		const struct listed *listed = &list->messages[list->indexed];
		const struct datum *fields = listed->record.items;
		struct tool_place place = { message_list_time(listed), listed->rank };
		if (message_list_is_text(&fields[MEMORY_MESSAGE__ROLE], "assistant"))
			tool_calls_add(list->calls, json_of(&fields[MEMORY_MESSAGE__CONTENT]),
				place);
	}
	return tool_calls_args(list->calls, call_id);
}

/* Changes content, type and role to what MessageList returns. */
static void message_list_normalise(struct message_list *list, struct datum *fields)
{
	struct datum *role = &fields[MEMORY_MESSAGE__ROLE];
	struct json content = message_content(list->arena, &fields[MEMORY_MESSAGE__CONTENT]);

	if (message_v1_is(content)) {
		const struct message_v1 message = { .content = content,
			.assistant = message_list_is_text(role, "assistant"),
			.args = message_list_args,
			.list = list };
		content = message_v1_convert(list->arena, &message);
		fields[MEMORY_MESSAGE__TYPE] = datum_null();
		if (message_list_is_text(role, "tool"))
			*role = datum_string("assistant");
	} else {
		content = message_parts_normalise(list->arena, content);
	}
	fields[MEMORY_MESSAGE__CONTENT] = json_datum(content);
}

static struct json message_list_key(struct arena *arena, struct listed *listed)
{
	if (!listed->key.text)
		listed->key = message_parts_key(arena,
			json_of(&listed->record.items[MEMORY_MESSAGE__CONTENT]));
	return listed->key;
}

/* A message with an id that the list has: dropped if its parts are the same, else it replaces. */
static void message_list_replace(struct message_list *list, struct listed *old, struct listed *new)
{
	if (json_same(message_list_key(list->arena, old), message_list_key(list->arena, new)))
		return;
	if (message_list_time(new) == message_list_time(old))
		new->rank = old->rank;
	else if (message_list_time(new) > message_list_time(old))
		new->rank = --list->first_rank;
	else
		new->rank = ++list->last_rank;
	*old = *new;
}

static void message_list_make_room(struct message_list *list)
{
	uint32_t count = keys_count(list->ids);

	if (count < list->room)
		return;
	uint32_t room = list->room ? 2 * list->room : 8;
	struct listed *grown = arena_calloc(list->arena, room, sizeof(*grown));
	if (count)
		memcpy(grown, list->messages, count * sizeof(*grown));
	list->messages = grown;
	list->room = room;
}

void message_list_add(struct message_list *list, const struct datum *message)
{
	struct datum *fields = arena_calloc(list->arena, MEMORY_MESSAGE_SIZE, sizeof(*fields));
	struct listed new = { .record = datum_record(fields, MEMORY_MESSAGE_SIZE) };

	memcpy(fields, message->items, MEMORY_MESSAGE_SIZE * sizeof(*fields));
	if (message_list_is_text(&fields[MEMORY_MESSAGE__ROLE], "system"))
		return;
	message_list_normalise(list, fields);
	message_list_make_room(list);
	uint32_t count = keys_count(list->ids);
	uint32_t number = keys_add(list->ids, &fields[MEMORY_MESSAGE__ID]);
	if (number < count) {
		message_list_replace(list, &list->messages[number], &new);
		return;
	}
	new.rank = ++list->last_rank;
	list->messages[number] = new;
}

static int message_list_compare_times(const struct listed *a, const struct listed *b)
{
	return (message_list_time(a) > message_list_time(b)) -
		(message_list_time(a) < message_list_time(b));
}

static int message_list_by_rank(const void *a, const void *b)
{
	const struct listed *one = a, *two = b;
	int order = message_list_compare_times(one, two);

	return order ? order : (one->rank > two->rank) - (one->rank < two->rank);
}

static int message_list_by_id(const void *a, const void *b)
{
	const struct listed *one = a, *two = b;
	int order = message_list_compare_times(one, two);

	return order ? order
		     : message_id_compare(&one->record.items[MEMORY_MESSAGE__ID],
			       &two->record.items[MEMORY_MESSAGE__ID]);
}

static int message_list_by_id_descending(const void *a, const void *b)
{
	return message_list_by_id(b, a);
}

static struct datum message_list_sort(struct message_list *list,
	int (*compare)(const void *, const void *))
{
	uint32_t count = keys_count(list->ids);
	struct datum *items = arena_calloc(list->arena, (size_t)count + 1, sizeof(*items));

	if (count)
		qsort(list->messages, count, sizeof(*list->messages), compare);
	for (uint32_t i = 0; i < count; i++)
		items[i] = list->messages[i].record;
	return datum_array(items, count);
}

struct datum message_list_result(struct message_list *list)
{
	return message_list_sort(list, message_list_by_rank);
}

struct datum message_list_sorted(struct message_list *list, bool descending)
{
	return message_list_sort(list,
		descending ? message_list_by_id_descending : message_list_by_id);
}
