/* cursor.c - tests of the order in which a batch's calls run, and of which fold */
#include "worker/engine/cursor.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "handlers/domains/command_table.h"

#define JOBS_MAX 32

/* A command by its letter; those in capitals run for the tenant A, the others for the tenant b. */
static const struct {
	char letter;
	const char *name;
} commands[] = {
	{ 's', "observability.createSpan" },
	{ 't', "memory.saveThread" },
	{ 'l', "memory.listThreads" },
	{ 'q', "storage.query" },
	{ 'g', "storage.transaction" },
};

static struct batch batch;
static struct job jobs[JOBS_MAX];
static struct call calls[JOBS_MAX];
static struct cursor cursor;
static struct context_session session;
static struct worker_settings settings;
static bool alone, isolating, wants_reply;
static char ran[256];

static void start(void)
{
	batch = (struct batch){ .arena = arena_new(0), .jobs = jobs };
	session = (struct context_session){ .settings = &settings, .schema = "own" };
	alone = isolating = wants_reply = false;
	ran[0] = '\0';
}

static void end(void)
{
	arena_free(batch.arena);
}

TestSuite(cursor, .init = start, .fini = end);

static int command_of(char letter)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].letter == (letter | 0x20))
			return command_find(commands[i].name, strlen(commands[i].name));
	return COMMAND_UNKNOWN;
}

/* Adds a lane with a job for each letter. */
static void add(const char *letters)
{
	size_t place = batch.lane_count++;
	batch.lanes[place] = (struct batch_lane){ .first = batch.job_count,
		.count = strlen(letters) };
	for (const char *letter = letters; *letter; letter++) {
		int command = command_of(*letter);
		bool first = *letter < 'a';
		cr_assert_neq(command, COMMAND_UNKNOWN);
		calls[batch.job_count] = (struct call){ .command = &command_defs[command],
			.schema = first ? "A" : "b",
			.wants_reply = wants_reply };
		jobs[batch.job_count] = (struct job){ .lane_place = place,
			.command = command,
			.schema = !first,
			.calls = &calls[batch.job_count],
			.call_count = 1 };
		batch.job_count++;
	}
}

/* Runs the next context: "0 2|" are the first and the third job of the batch. */
static bool step(void)
{
	const struct context *ctx = cursor_next(&cursor, &session);
	for (size_t i = 0; ctx && i < ctx->count; i++) {
		size_t used = strlen(ran);
		cr_assert_str_eq(ctx->calls[i]->schema, ctx->schema);
		snprintf(ran + used, sizeof(ran) - used, "%zd%s",
			(struct job *)ctx->calls[i]->origin - jobs, i + 1 < ctx->count ? " " : "|");
	}
	return ctx != NULL;
}

static void expect(const char *all)
{
	cursor_init(&cursor, &batch, alone, isolating);
	while (step())
		;
	cr_assert_str_eq(ran, all);
	cr_assert(cursor_may_stop(&cursor));
	for (size_t i = 0; i < batch.lane_count; i++)
		cr_assert_eq(cursor.next[i], batch.lanes[i].count);
}

Test(cursor, folds_the_calls_of_a_schema_across_those_of_others)
{
	add("SsSsSS");
	expect("0 2 4 5|1 3|");
}

Test(cursor, keeps_the_order_within_a_schema)
{
	add("StsSTS");
	expect("0 3|4|5|1|2|");
}

Test(cursor, folds_across_lanes_that_begin_with_different_schemas)
{
	add("Ss");
	add("sS");
	expect("0 3|1 2|");
}

Test(cursor, lets_nothing_pass_what_may_touch_other_schemas_or_reply_much)
{
	for (const char *letter = "lqg"; *letter; letter++) {
		char lane[] = "SsS?SsS";
		end();
		start();
		lane[3] = *letter;
		add(lane);
		expect("0 2|1|3|4 6|5|");
	}
}

Test(cursor, lets_no_reply_wait_for_others_while_it_isolates)
{
	isolating = true;
	wants_reply = true;
	add("SsS");
	expect("0|1|2|");
	end();
	start();
	isolating = true;
	add("SsS");
	expect("0 2|1|");
}

Test(cursor, runs_one_by_one_in_order_if_each_command_runs_alone)
{
	alone = true;
	add("SsS");
	expect("0|1|2|");
}

Test(cursor, leaves_out_what_does_not_run)
{
	add("SsSs");
	jobs[1].refused = jobs[2].refused = true;
	expect("0|3|");
}

Test(cursor, does_not_stop_while_an_earlier_job_has_not_run)
{
	add("SsSlS");
	cursor_init(&cursor, &batch, alone, isolating);
	cr_assert(cursor_may_stop(&cursor));
	cr_assert(step());
	cr_assert_str_eq(ran, "0 2|");
	cr_assert_not(cursor_may_stop(&cursor));
	cr_assert(step());
	cr_assert(cursor_may_stop(&cursor));
	cr_assert_eq(cursor.next[0], 3);
}
