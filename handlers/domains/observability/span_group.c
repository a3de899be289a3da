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

/* Room for all writes. */
static struct sorted_write *span_group_list(struct context *ctx, const struct span_writes *writes)
{
	return arena_alloc(ctx->arena, writes->count * sizeof(struct sorted_write));
}

static struct sorted_write *span_group_sort(struct context *ctx, const struct span_writes *writes)
{
	struct sorted_write *sorted = span_group_list(ctx, writes);

	for (size_t i = 0; i < writes->count; i++)
		sorted[i] = (struct sorted_write){
			.prefix = span_group_prefix(writes->list[i].trace_id),
			.write = &writes->list[i],
		};
	qsort(sorted, writes->count, sizeof(*sorted), span_group_compare_writes);
	return sorted;
}

/* The start that decides the order: updates have none. */
static int64_t span_group_start(const struct span_write *write)
{
	return write->creates
		? span_value(write, OBSERVABILITY_CREATE_SPAN_RECORD__STARTED_AT)->integer
		: 0;
}

static int span_group_compare_merged(const void *a, const void *b)
{
	const struct sorted_write *one = a, *two = b;

	if (one->prefix != two->prefix)
		return one->prefix < two->prefix ? -1 : 1;
	int order = span_group_compare_texts(one->write->trace_id, two->write->trace_id);
	if (order)
		return order;
	int64_t first = span_group_start(one->write), second = span_group_start(two->write);
	if (first != second)
		return first < second ? -1 : 1;
	return (one->write->place > two->write->place) - (one->write->place < two->write->place);
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

/* Writes of distinct spans. */
struct merged_writes {
	struct sorted_write *list;
	size_t count;
};

static void span_group_keep(struct merged_writes *merged, uint64_t prefix, struct span_write *write)
{
	if (write)
		merged->list[merged->count++] = (struct sorted_write){ prefix, write };
}

/* Merges sorted[0..count), all writes of one span. */
static void span_group_merge(struct arena *arena, const struct sorted_write *sorted, size_t count,
	struct merged_writes *updates, struct merged_writes *creates)
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
	span_group_keep(updates, sorted[0].prefix, update);
	span_group_keep(creates, sorted[0].prefix, create);
}

static void span_group_merged(struct arena *arena, struct merged_writes *merged,
	struct span_group **groups)
{
	qsort(merged->list, merged->count, sizeof(*merged->list), span_group_compare_merged);
	for (size_t i = 0; i < merged->count; i++)
		span_group_add(arena, groups, merged->list[i].write);
}

void span_groups(struct context *ctx, const struct span_writes *writes, struct span_group **updates,
	struct span_group **creates)
{
	const struct sorted_write *sorted = span_group_sort(ctx, writes);
	struct merged_writes updated = { .list = span_group_list(ctx, writes) },
			     created = { .list = span_group_list(ctx, writes) };
	size_t begin = 0;

	for (size_t i = 1; i <= writes->count; i++) {
		if (i < writes->count &&
			span_group_compare_spans(sorted[begin].write, sorted[i].write) == 0)
			continue;
		span_group_merge(ctx->arena, sorted + begin, i - begin, &updated, &created);
		begin = i;
	}
	span_group_merged(ctx->arena, &updated, updates);
	span_group_merged(ctx->arena, &created, creates);
}
