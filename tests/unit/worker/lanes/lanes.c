/* lanes.c - tests of the work that executors get, and of lanes that are stopped or held while
 * busy */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "worker/lanes/detached.h"
#include "worker/lanes/queue.h"
#include "worker/lanes/replies.h"
#include "worker/lanes/state.h" /* to look at the waiting reads */
#include "worker/lanes/work.h"

#define MANY 100    /* messages: enough for a large batch */
#define READS_MAX 3 /* detached reads at once */
#define LIMIT 2     /* ... while all of them are quick */

static struct lanes *lanes;
static struct metrics *metrics;
static struct waiter waiter;
static rd_kafka_message_t messages[4][MANY];
static struct lane *given[4];
static size_t count;

static void make_with(size_t large)
{
	const struct lanes_limits limits = { .batch_commands = MANY,
		.large_batches = large,
		.detached_reads = LIMIT,
		.slow_max = READS_MAX,
		.batch_bytes = 1 << 20,
		.memory_bytes = 1 << 24 };
	metrics = metrics_new(NULL, 0);
	lanes = lanes_new(&limits, metrics);
	waiter_init(&waiter);
	count = 0;
}

static void make(void)
{
	make_with(2);
}

/* Adds a running lane with `waiting` messages. */
static struct lane *add(size_t waiting)
{
	rd_kafka_message_t *list[MANY];
	struct lane *lane = lanes_add(lanes, "topic", (int32_t)count);
	lane->state = LANE_RUNNING;
	for (size_t i = 0; i < waiting; i++) {
		messages[count][i] = (rd_kafka_message_t){ .offset = (int64_t)i };
		list[i] = &messages[count][i];
	}
	given[count++] = lane;
	lanes_push(lanes, lane, list, waiting);
	return lane;
}

/* librdkafka did not create the messages, so it must not free them. */
static void drop(void)
{
	for (size_t i = 0; i < count; i++) {
		while (message_queue_pop(&given[i]->messages))
			;
	}
	lanes_free(lanes);
	metrics_free(metrics);
}

/* Returns the lane of the next batch; NULL if there is none. */
static struct lane *next(void)
{
	struct work work;
	lanes_next(lanes, &work, &waiter, 0);
	if (work.kind == WORK_NONE)
		return NULL;
	cr_assert_eq(work.kind, WORK_BATCH);
	cr_assert_eq(work.lane_count, 1);
	return work.lanes[0];
}

TestSuite(lanes, .init = make, .fini = drop);

Test(lanes, large_batches_run_up_to_the_limit)
{
	add(MANY);
	add(MANY);
	add(MANY);
	struct lane *first = next();
	cr_assert_not_null(first);
	cr_assert_not_null(next());
	cr_assert_null(next());
	lanes_done(lanes, first, LANE_RUNNING, 0);
	cr_assert_not_null(next());
	cr_assert_null(next());
}

Test(lanes, one_large_batch_less_runs_while_a_client_waits)
{
	add(MANY);
	add(MANY);
	lanes_awaited(lanes);
	cr_assert_not_null(next());
	cr_assert_null(next());
}

Test(lanes, a_small_lane_runs_in_parallel_with_large_batches)
{
	add(MANY);
	add(MANY);
	add(MANY);
	cr_assert_not_null(next());
	cr_assert_not_null(next());
	struct lane *small = add(1);
	cr_assert_eq(next(), small);
}

/* The second lane of a batch gets what the first one leaves. */
Test(lanes, every_lane_comes_first_in_turn)
{
	struct work work[2];
	size_t led[4] = { 0 };
	for (size_t i = 0; i < 4; i++)
		add(MANY - 20);
	lanes_next(lanes, &work[0], &waiter, 0);
	for (size_t i = 1; i < 20; i++) {
		lanes_next(lanes, &work[i % 2], &waiter, 0);
		struct work *ended = &work[(i + 1) % 2];
		cr_assert_eq(ended->lane_count, 2);
		led[ended->lanes[0]->partition]++;
		lanes_done(lanes, ended->lanes[0], LANE_RUNNING, 0);
		lanes_done(lanes, ended->lanes[1], LANE_RUNNING, 0);
	}
	for (size_t i = 0; i < 4; i++)
		cr_assert_geq(led[i], 4, "partition %zu came first %zu times of 19", i, led[i]);
}

Test(lanes, one_large_batch_may_always_run)
{
	drop();
	make_with(1);
	add(MANY);
	lanes_awaited(lanes);
	cr_assert_not_null(next());
}

/* Detaches a read. */
static void detach(struct lane *lane)
{
	struct detached_read *read = calloc(1, sizeof(*read));
	read->lane = lane;
	lane_ref(lanes, lane);
	lanes_detach_read(lanes, read);
}

/* Returns the next read; NULL if none may run. */
static struct detached_read *next_read(void)
{
	struct work work;
	lanes_next(lanes, &work, &waiter, 0);
	return work.kind == WORK_DETACHED ? work.read : NULL;
}

static void end_read(struct detached_read *read)
{
	lanes_read_done(lanes, read);
	lane_unref(lanes, read->lane);
	free(read);
}

Test(lanes, detached_reads_run_up_to_the_limit_in_order)
{
	struct lane *lane = add(0);
	for (size_t i = 0; i < LIMIT + 2; i++)
		detach(lane);
	struct detached_read *first = next_read(), *second = next_read();
	cr_assert_not_null(first);
	cr_assert_not_null(second);
	cr_assert_null(next_read());
	lanes_retry_read(lanes, first);
	struct detached_read *third = next_read();
	cr_assert_not_null(third);
	cr_assert_neq(third, first);
	cr_assert_null(next_read());
	end_read(second);
	end_read(third);
	end_read(next_read());
	cr_assert_eq(next_read(), first);
	cr_assert_null(next_read());
	end_read(first);
}

Test(lanes, slow_reads_do_not_delay_quick_ones)
{
	struct lane *lane = add(0);
	for (size_t i = 0; i < READS_MAX + 1; i++)
		detach(lane);
	struct detached_read *slow = next_read(), *slower = next_read();
	cr_assert_null(next_read());
	slow->began -= 1000;
	slower->began -= 1000;
	struct detached_read *quick = next_read();
	cr_assert_not_null(quick);
	cr_assert_null(next_read(), "one session is left");
	end_read(quick);
	quick = next_read();
	cr_assert_not_null(quick);
	end_read(slow);
	end_read(quick);
	end_read(slower);
}

Test(lanes, a_failed_read_delays_none_behind_it)
{
	struct lane *lane = add(0);
	detach(lane);
	struct detached_read *failed = next_read();
	failed->retry_at = INT64_MAX;
	lanes_retry_read(lanes, failed);
	detach(lane);
	struct detached_read *other = next_read();
	cr_assert_not_null(other);
	cr_assert_neq(other, failed);
	cr_assert_null(next_read());
	detach(lane);
	struct detached_read *last = next_read();
	cr_assert_not_null(last, "the end of the queue is where it was");
	cr_assert_null(next_read());
	failed->retry_at = 0;
	end_read(other);
	cr_assert_eq(next_read(), failed);
	end_read(failed);
	end_read(last);
}

Test(lanes, batches_run_in_parallel_with_reads)
{
	detach(add(0));
	detach(given[0]);
	struct detached_read *first = next_read(), *second = next_read();
	add(MANY);
	cr_assert_not_null(next());
	end_read(first);
	end_read(second);
}

/* librdkafka did not create the messages, so it must not free them. */
static void empty(struct lane *lane)
{
	while (message_queue_pop(&lane->messages))
		;
}

/* Returns the lane that an executor must claim. */
static struct lane *claim(void)
{
	struct work work;
	lanes_next(lanes, &work, &waiter, 0);
	cr_assert_eq(work.kind, WORK_CLAIM);
	return work.lanes[0];
}

Test(lanes, a_stopped_lane_stays_stopped_while_an_executor_has_it)
{
	struct lane *lane = add(MANY);
	next();
	empty(lane);
	lanes_stop(lanes, lane, "test");
	lanes_done(lanes, lane, LANE_RUNNING, 0);
	cr_assert_eq(lane->state, LANE_STOPPED);
	cr_assert_eq(lanes_room(lanes, lane), 0);

	struct lane *unclaimed = lanes_add(lanes, "topic", 7);
	cr_assert_eq(claim(), unclaimed);
	lanes_stop(lanes, unclaimed, "test");
	lanes_done(lanes, unclaimed, LANE_SEEKING, 0);
	cr_assert_eq(unclaimed->state, LANE_STOPPED);
}

Test(lanes, a_held_lane_runs_no_batch_until_it_is_released)
{
	struct lane *lane = add(MANY);
	uint32_t generation = lane->replies.generation;
	cr_assert(lanes_hold(lanes, lane, generation, HOLD_UNSENT));
	cr_assert_not(lanes_hold(lanes, lane, generation, HOLD_UNSENT), "not the first one");
	cr_assert(lanes_hold(lanes, lane, generation, HOLD_DEAD_LETTER));
	cr_assert_null(next());
	cr_assert(lanes_release(lanes, lane, generation, HOLD_DEAD_LETTER));
	cr_assert_not(lanes_release(lanes, lane, generation, HOLD_UNSENT));
	cr_assert_null(next());
	cr_assert(lanes_release(lanes, lane, generation, HOLD_UNSENT));
	cr_assert_eq(next(), lane);
}

Test(lanes, a_message_of_an_older_generation_holds_no_lane)
{
	struct lane *lane = add(MANY);
	uint32_t generation = lane->replies.generation;
	cr_assert_not(lanes_hold(lanes, lane, generation - 1, HOLD_UNSENT));
	cr_assert(lanes_hold(lanes, lane, generation, HOLD_UNSENT));
	lane_forget_replies(lane);
	cr_assert_not(lanes_release(lanes, lane, generation, HOLD_UNSENT));
	cr_assert_not(lanes_reply_wanted(lanes, lane, generation));
	cr_assert_eq(next(), lane);
}

Test(lanes, a_checkpoint_is_no_small_batch_and_no_suspect_one)
{
	struct work work;
	struct lane *lane = add(0);
	lane->offsets.position = 5; /* the row is behind */
	memset(&work, 1, sizeof(work));
	lanes_next(lanes, &work, &waiter, 0);
	cr_assert_eq(work.kind, WORK_CHECKPOINT);
	cr_assert_not(work.small);
	cr_assert_not(work.suspect);
	cr_assert_eq(work.retries, 0);
	cr_assert_null(work.read);
}

Test(lanes, no_detached_read_begins_at_shutdown)
{
	struct work work;
	detach(add(0));
	struct detached_read *read = lanes->detached.waiting;
	lanes_quit(lanes);
	lanes_next(lanes, &work, &waiter, 0);
	cr_assert_eq(work.kind, WORK_QUIT);
	lanes->detached.waiting = NULL;
	lane_unref(lanes, read->lane);
	free(read);
}

Test(lanes, slow_lanes_are_alone_and_leave_a_session)
{
	lanes->limits.slow_max = 1;
	struct lane *slow[2] = { add(1), add(1) };
	for (int i = 0; i < 2; i++)
		lanes_set_slow(lanes, slow[i], true);
	struct lane *first = next();
	cr_assert(first == slow[0] || first == slow[1]);
	cr_assert_null(next(), "the other slow lane waits");
	struct lane *quick = add(1);
	cr_assert_eq(next(), quick);
	lanes_done(lanes, quick, LANE_RUNNING, 0);
	lanes_set_slow(lanes, first, false);
	lanes_done(lanes, first, LANE_RUNNING, 0);
	cr_assert_not_null(next());
	cr_assert_eq(lanes->batches.slow_lanes, 1);
}

Test(lanes, roused_executors_stop_waiting_once, .timeout = 60)
{
	struct work work;
	lanes_rouse(lanes);
	lanes_next(lanes, &work, &waiter, INT_MAX);
	cr_assert_eq(work.kind, WORK_NONE);
	cr_assert(work.roused);
	lanes_next(lanes, &work, &waiter, 0);
	cr_assert_eq(work.kind, WORK_NONE);
	cr_assert_not(work.roused);
}
