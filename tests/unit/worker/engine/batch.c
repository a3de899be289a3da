/* batch.c - tests of what a batch writes to its lanes' rows */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "worker/engine/batch.h"

static struct engine engine;
static struct metrics *metrics;
static struct lane *lane;
static struct batch batch;

/* A running lane at offset 20, with two unanswered reads before it. */
static void make(void)
{
	static const struct lanes_limits limits = { .batch_commands = 10,
		.large_batches = 1,
		.detached_reads = 1,
		.batch_bytes = 1 << 20,
		.memory_bytes = 1 << 24 };
	metrics = metrics_new(NULL, 0);
	engine.lanes = lanes_new(&limits, metrics);
	lane = lanes_add(engine.lanes, "topic", 3);
	lane->state = LANE_RUNNING;
	lane->offsets.epoch = 5;
	lane->offsets.next = lane->offsets.position = lane->offsets.applied = 20;
	lane->offsets.answered = 10;
	lane_read_sent(lane, 10);
	lane_read_sent(lane, 15);
	batch_init(&batch, &engine);
}

static void drop(void)
{
	batch_give_back(&batch);
	batch_free(&batch);
	lanes_free(engine.lanes);
	metrics_free(metrics);
}

TestSuite(batch, .init = make, .fini = drop);

static struct lane_row row(void)
{
	struct lane_row rows[BATCH_LANES_MAX];
	batch_rows(&batch, rows);
	return rows[0];
}

Test(batch, answered_stops_at_the_first_unanswered_read)
{
	batch_checkpoint(&batch, &lane, 1);
	cr_assert_eq(row().answered, 10);
	cr_assert_eq(row().applied, 20);
	lane_read_answered(lane, 15);
	cr_assert_eq(row().answered, 10);
	lane_read_answered(lane, 10);
	cr_assert_eq(row().answered, 20);
}

/* The worker no longer knows whether the reads were answered. The lane is reclaimed and runs them
 * again. */
Test(batch, answered_stays_when_the_lane_was_reclaimed)
{
	batch_checkpoint(&batch, &lane, 1);
	lane_forget_replies(lane);
	cr_assert_eq(row().answered, 10);
	cr_assert_eq(row().applied, 20);
}

/* The lane was reclaimed after the executor got it, but before the batch began. */
Test(batch, answered_stays_when_the_lane_was_reclaimed_before_the_batch_began)
{
	lane->state = LANE_UNCLAIMED;
	lane_forget_replies(lane);
	batch_checkpoint(&batch, &lane, 1);
	cr_assert_eq(row().answered, 10);
	cr_assert_eq(row().applied, 20);
}

/* Each schema costs PostgreSQL locks until the transaction ends. */
Test(batch, takes_a_bounded_number_of_schemas)
{
	struct call call = { .schema = NULL };
	struct job job = { .calls = &call };
	char name[16];
	cr_assert(batch_enter_schema(&batch, &job));
	cr_assert_eq(job.schema, 0);
	call.schema = name;
	for (unsigned i = 1; i < BATCH_SCHEMAS_MAX; i++) {
		snprintf(name, sizeof(name), "tenant_%u", i);
		job.calls[0].schema = arena_copy(batch.arena, name, strlen(name));
		cr_assert(batch_enter_schema(&batch, &job));
		cr_assert_eq(job.schema, i);
	}
	call.schema = "one_more";
	cr_assert_not(batch_enter_schema(&batch, &job));
	call.schema = "tenant_7";
	cr_assert(batch_enter_schema(&batch, &job));
	cr_assert_eq(job.schema, 7);
}
