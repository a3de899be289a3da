/* cursor.c - orders a batch's calls lane by lane, and folds neighbours into contexts */
#include "worker/engine/cursor.h"

#include <stdlib.h>

/* --- turns: the number of the job's schema, and its index in its lane --- */

static uint64_t turn_new(uint32_t schema, size_t index)
{
	return (uint64_t)schema << 32 | (uint32_t)index;
}

static uint32_t turn_schema(uint64_t turn)
{
	return (uint32_t)(turn >> 32);
}

static size_t turn_index(uint64_t turn)
{
	return (uint32_t)turn;
}

static int turn_compare(const void *a, const void *b)
{
	const uint64_t *one = a, *other = b;
	return (*one > *other) - (*one < *other);
}

/* May calls of other schemas run before those ahead of them, past this one? The memory of replies is the
 * reason that some may not: the batch ends early when it has many, and it can't end while there is a gap. */
static bool cursor_may_pass(const struct cursor *cursor, const struct job *job)
{
	unsigned flags = job_flags(job);
	if (!job_runs(job))
		return true;
	if (cursor->isolating && job->calls[0].wants_reply)
		return false;
	return (flags & COMMAND_FOLD) ||
		((flags & COMMAND_WRITE) &&
			!(flags & (COMMAND_GROUP | COMMAND_DIRECT | COMMAND_OUTSIDE)));
}

/* Sorts what lies between two jobs that keep their places by schema. */
static void cursor_arrange(struct cursor *cursor, const struct batch_lane *part)
{
	const struct job *jobs = cursor->batch->jobs + part->first;
	uint64_t *turns = cursor->turns + part->first;
	for (size_t i = 0, from = 0; i <= part->count; i++) {
		if (i < part->count && cursor_may_pass(cursor, &jobs[i]))
			continue;
		qsort(turns + from, i - from, sizeof(*turns), turn_compare);
		from = i + 1;
	}
}

void cursor_init(struct cursor *cursor, struct batch *batch, bool alone, bool isolating)
{
	*cursor = (struct cursor){ .batch = batch, .alone = alone, .isolating = isolating };
	cursor->turns = arena_calloc(batch->arena, batch->job_count, sizeof(*cursor->turns));
	cursor->calls = arena_calloc(batch->arena, batch->job_count, sizeof(struct call *));
	for (size_t i = 0; i < batch->job_count; i++) {
		const struct job *job = &batch->jobs[i];
		cursor->turns[i] = turn_new(job->schema, i - batch->lanes[job->lane_place].first);
	}
	if (alone)
		return;
	for (size_t i = 0; i < batch->lane_count; i++)
		if (batch->lanes[i].count > 0)
			cursor_arrange(cursor, &batch->lanes[i]);
}

/* --- walking --- */

static uint64_t cursor_turn(const struct cursor *cursor, size_t place)
{
	return cursor->turns[cursor->batch->lanes[place].first + cursor->next[place]];
}

static void cursor_advance(struct cursor *cursor, size_t place)
{
	size_t index = turn_index(cursor_turn(cursor, place));
	if (index >= cursor->end[place])
		cursor->end[place] = index + 1;
	cursor->next[place]++;
}

/* Returns the call at the lane's front, and passes jobs that have nothing to run. */
static struct call *cursor_front(struct cursor *cursor, size_t place)
{
	const struct batch_lane *part = &cursor->batch->lanes[place];
	while (cursor->next[place] < part->count) {
		size_t index = turn_index(cursor_turn(cursor, place));
		struct job *job = &cursor->batch->jobs[part->first + index];
		if (job_runs(job)) {
			job->calls[0].origin = job;
			return &job->calls[0];
		}
		cursor_advance(cursor, place);
	}
	return NULL;
}

/* The lanes whose front has the lowest number are behind the others: together they fold more. */
static struct call *cursor_first(struct cursor *cursor, size_t *place)
{
	struct call *first = NULL;
	for (size_t i = 0; i < cursor->batch->lane_count; i++) {
		struct call *call = cursor_front(cursor, i);
		if (!call ||
			(first &&
				turn_schema(cursor_turn(cursor, i)) >=
					turn_schema(cursor_turn(cursor, *place))))
			continue;
		first = call;
		*place = i;
	}
	return first;
}

/* A command that folds with no other has a fold group of its own; commands of one group share a
 * handler. */
static size_t cursor_gather(struct cursor *cursor, const struct call *first, size_t place,
	struct call **calls)
{
	uint32_t schema = turn_schema(cursor_turn(cursor, place));
	bool folds = !cursor->alone && (first->command->flags & COMMAND_FOLD);
	size_t count = 0;
	for (size_t i = place; i < cursor->batch->lane_count; i++) {
		struct call *call;
		while ((call = cursor_front(cursor, i)) &&
			call->command->fold_group == first->command->fold_group &&
			turn_schema(cursor_turn(cursor, i)) == schema) {
			calls[count++] = call;
			cursor_advance(cursor, i);
			if (!folds)
				return count;
		}
	}
	return count;
}

struct context *cursor_next(struct cursor *cursor, struct context_session *session)
{
	size_t place;
	const struct call *first = cursor_first(cursor, &place);
	if (!first)
		return NULL;
	struct call **calls = cursor->calls + cursor->used;
	size_t count = cursor_gather(cursor, first, place, calls);
	cursor->used += count;
	return context_new(session, cursor->batch->arena, calls, count);
}

bool cursor_may_stop(struct cursor *cursor)
{
	for (size_t i = 0; i < cursor->batch->lane_count; i++)
		if (cursor->end[i] != cursor->next[i])
			return false;
	return true;
}
