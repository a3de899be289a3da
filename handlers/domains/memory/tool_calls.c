/* tool_calls.c - an index of the tool calls in messages */
#include "handlers/domains/memory/tool_calls.h"

#include "handlers/core/keys.h"

struct tool_call {
	struct datum id; /* the key's text */
	struct json args;
	struct tool_place place; /* of the message that has these args */
	/* The last message in which a part, or an entry of toolInvocations, had this id: only its first
	 * one counts. */
	uint32_t part_of;
	uint32_t entry_of;
};

struct tool_calls {
	struct arena *arena;
	struct keys *ids;
	struct tool_call *
		*list; /* by the number of the id; they stay in place, as keys point to them */
	uint32_t room;
	uint32_t messages;
};

struct tool_calls *tool_calls_new(struct arena *arena)
{
	struct tool_calls *calls = arena_calloc(arena, 1, sizeof(*calls));

	calls->arena = arena;
	calls->ids = keys_new(arena, 8);
	return calls;
}

static struct datum tool_calls_id(struct json id)
{
	return id.text ? json_datum(id) : datum_string("");
}

static void tool_calls_make_room(struct tool_calls *calls)
{
	uint32_t count = keys_count(calls->ids);

	if (count < calls->room)
		return;
	uint32_t room = calls->room ? 2 * calls->room : 8;
	struct tool_call **list = arena_alloc(calls->arena, room * sizeof(struct tool_call *));
	for (uint32_t i = 0; i < count; i++)
		list[i] = calls->list[i];
	calls->list = list;
	calls->room = room;
}

static struct tool_call *tool_calls_of(struct tool_calls *calls, struct json id)
{
	struct datum text = tool_calls_id(id);
	uint32_t number = keys_find(calls->ids, &text);

	if (number != KEYS_NONE)
		return calls->list[number];
	tool_calls_make_room(calls);
	struct tool_call *call = arena_calloc(calls->arena, 1, sizeof(*call));
	call->id = text;
	number = keys_add(calls->ids, &call->id);
	calls->list[number] = call;
	return call;
}

static bool tool_calls_has_args(struct json args)
{
	enum json_kind kind = json_kind(args);
	return (kind == JSON_OBJECT_KIND || kind == JSON_ARRAY_KIND) && args.len > 2;
}

static bool tool_calls_is_later(struct tool_place a, struct tool_place b)
{
	return a.time != b.time ? a.time > b.time : a.rank >= b.rank;
}

static void tool_calls_offer(struct tool_call *call, struct json args, struct tool_place place)
{
	if (!tool_calls_has_args(args) ||
		(call->args.text && !tool_calls_is_later(place, call->place)))
		return;
	call->args = args;
	call->place = place;
}

static void tool_calls_add_parts(struct tool_calls *calls, struct json parts,
	struct tool_place place)
{
	struct json_iter iter = json_iter(parts);
	struct json part;

	while (!iter.members && json_next(&iter, NULL, &part)) {
		if (!json_is(json_get(part, "type"), "tool-invocation"))
			continue;
		struct json invocation = json_get(part, "toolInvocation");
		struct tool_call *call = tool_calls_of(calls, json_get(invocation, "toolCallId"));
		if (call->part_of != calls->messages)
			tool_calls_offer(call, json_get(invocation, "args"), place);
		call->part_of = calls->messages;
	}
}

/* The entries count for calls without args in the message's parts. */
static void tool_calls_add_entries(struct tool_calls *calls, struct json entries,
	struct tool_place place)
{
	struct json_iter iter = json_iter(entries);
	struct json entry;

	while (!iter.members && json_next(&iter, NULL, &entry)) {
		struct tool_call *call = tool_calls_of(calls, json_get(entry, "toolCallId"));
		bool of_part = call->part_of == calls->messages && call->args.text &&
			call->place.time == place.time && call->place.rank == place.rank;
		if (call->entry_of != calls->messages && !of_part)
			tool_calls_offer(call, json_get(entry, "args"), place);
		call->entry_of = calls->messages;
	}
}

void tool_calls_add(struct tool_calls *calls, struct json content, struct tool_place place)
{
	calls->messages++;
	tool_calls_add_parts(calls, json_get(content, "parts"), place);
	tool_calls_add_entries(calls, json_get(content, "toolInvocations"), place);
}

struct json tool_calls_args(const struct tool_calls *calls, struct json id)
{
	struct datum text = tool_calls_id(id);
	uint32_t number = keys_find(calls->ids, &text);

	return number == KEYS_NONE ? (struct json){ 0 } : calls->list[number]->args;
}
