/* span_group.c - sorts, merges and groups the writes to spans */
#include "handlers/domains/observability/span_group.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* Columns that a write may set to null. */
#define NULLABLE \
	(SPAN_BIT(SPAN_COLUMNS) - SPAN_BIT(OBSERVABILITY_CREATE_SPAN_RECORD__PARENT_SPAN_ID))

/* ---------------------------------------------------------------- sorting */

/* The first bytes of the trace id, as a number, decide nearly every comparison. */
struct sorted_write {
	uint64_t prefix;
	struct span_write *write;
};

static uint64_t span_group_prefix(const struct datum *text)
{
	uint64_t prefix = 0;

	memcpy(&prefix, text->text, text->size < sizeof(prefix) ? text->size : sizeof(prefix));
	return be64toh(prefix);
}

static int span_group_compare_texts(const struct datum *a, const struct datum *b)
{
	size_t shorter = a->size < b->size ? a->size : b->size;
	int order = shorter ? memcmp(a->text, b->text, shorter) : 0;

	return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int span_group_compare_spans(const struct span_write *a, const struct span_write *b)
{
	int order = span_group_compare_texts(a->trace_id, b->trace_id);
	return order ? order : span_group_compare_texts(a->span_id, b->span_id);
}

static int span_group_compare_writes(const void *a, const void *b)
{
	const struct sorted_write *one = a, *two = b;

	if (one->prefix != two->prefix)
		return one->prefix < two->prefix ? -1 : 1;
	int order = span_group_compare_spans(one->write, two->write);
	return order
		? order
		: (one->write->place > two->write->place) - (one->write->place < two->write->place);
}

static struct sorted_write *span_group_sort(struct context *ctx, const struct span_writes *writes)
{
	struct sorted_write *sorted = arena_alloc(ctx->arena, writes->count * sizeof(*sorted));

	for (size_t i = 0; i < writes->count; i++)
		sorted[i] = (struct sorted_write){
			.prefix = span_group_prefix(writes->list[i].trace_id),
			.write = &writes->list[i],
		};
	qsort(sorted, writes->count, sizeof(*sorted), span_group_compare_writes);
	return sorted;
}

/* ---------------------------------------------------------------- grouping */

static bool span_group_accepts(const struct span_group *group, uint64_t cleared, uint64_t kept)
{
	return !((group->cleared | cleared) & (group->kept | kept));
}

static void span_group_add(struct arena *arena, struct span_group **groups,
	struct span_write *write)
{
	uint64_t cleared = write->cleared;
	uint64_t kept = NULLABLE & ~(write->given | write->cleared);
	struct span_group **at = groups;

	while (*at && !span_group_accepts(*at, cleared, kept))
		at = &(*at)->next;
	if (!*at)
		*at = arena_calloc(arena, 1, sizeof(**at));
	struct span_group *group = *at;
	group->count++;
	group->given |= write->given;
	group->cleared |= cleared;
	group->kept |= kept;
	if (group->last)
		group->last->next = write;
	else
		group->first = write;
	group->last = write;
}

/* Merges sorted[0..count), all writes of one span, and adds the results to the groups. */
static void span_group_add_span(struct arena *arena, const struct sorted_write *sorted,
	size_t count, struct span_group **updates, struct span_group **creates)
{
	struct span_write *update = NULL, *create = NULL;

	for (size_t i = 0; i < count; i++) {
		struct span_write *write = sorted[i].write;
		if (create)
			span_merge(arena, create, write);
		else if (write->creates)
			create = write;
		else if (update)
			span_merge(arena, update, write);
		else
			update = write;
	}
	if (update)
		span_group_add(arena, updates, update);
	if (create)
		span_group_add(arena, creates, create);
}

void span_groups(struct context *ctx, const struct span_writes *writes, struct span_group **updates,
	struct span_group **creates)
{
	const struct sorted_write *sorted = span_group_sort(ctx, writes);
	size_t begin = 0;

	for (size_t i = 1; i <= writes->count; i++) {
		if (i < writes->count &&
			span_group_compare_spans(sorted[begin].write, sorted[i].write) == 0)
			continue;
		span_group_add_span(ctx->arena, sorted + begin, i - begin, updates, creates);
		begin = i;
	}
}
