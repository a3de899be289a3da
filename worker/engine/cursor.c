/* cursor.c - walks a batch's calls lane by lane and folds neighbours into contexts */
#include "worker/engine/cursor.h"

/* Returns the call at the lane's front, and passes jobs that have nothing to run. */
static struct call *cursor_front(struct cursor *cursor, size_t place)
{
	const struct batch_lane *part = &cursor->batch->lanes[place];
	while (cursor->next[place] < part->count) {
		struct job *job = &cursor->batch->jobs[part->first + cursor->next[place]];
		if (job_runs(job) && cursor->call[place] < job->call_count) {
			struct call *call = &job->calls[cursor->call[place]];
			call->origin = job;
			return call;
		}
		cursor->next[place]++;
		cursor->call[place] = 0;
	}
	return NULL;
}

/* A command that folds with no other has a fold group of its own; commands of one group share a
 * handler. */
static bool folds_with(const struct call *call, const struct call *first)
{
	return call->command->fold_group == first->command->fold_group &&
		tenants_same(call->schema, first->schema);
}

static size_t cursor_gather(struct cursor *cursor, const struct call *first, size_t place,
	struct call **calls)
{
	size_t count = 0;
	for (size_t i = place; i < cursor->batch->lane_count; i++) {
		struct call *call;
		while ((call = cursor_front(cursor, i)) && folds_with(call, first)) {
			calls[count++] = call;
			cursor->call[i]++;
			if (cursor->alone || !(call->command->flags & COMMAND_FOLD))
				return count;
		}
	}
	return count;
}

struct context *cursor_next(struct cursor *cursor, struct context_session *session)
{
	struct batch *batch = cursor->batch;
	for (size_t i = 0; i < batch->lane_count; i++) {
		const struct call *first = cursor_front(cursor, i);
		if (!first)
			continue;
		bool folds = !cursor->alone && (first->command->flags & COMMAND_FOLD);
		size_t most = folds ? batch->call_count : 1;
		struct call **calls = arena_calloc(batch->arena, most, sizeof(struct call *));
		size_t count = cursor_gather(cursor, first, i, calls);
		return context_new(session, batch->arena, calls, count);
	}
	return NULL;
}

bool cursor_may_stop(struct cursor *cursor)
{
	for (size_t i = 0; i < cursor->batch->lane_count; i++)
		if (cursor_front(cursor, i) && cursor->call[i] > 0)
			return false;
	return true;
}
