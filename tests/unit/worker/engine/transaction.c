/* transaction.c - tests of the ladder of attempts, on a fake connection with a toy database */
#include "worker/engine/transaction.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/core/hints.h"
#include "handlers/domains/command_table.h"
#include "tests/unit/worker/engine/fake_connection.h"

#define KEYS_MAX 64
#define SENT_MAX 256
#define COMMAND_BYTES 100000

/* --- the fake: "put 1 2 3" stores keys; keys may be made to fail --- */

struct sent_statement {
	char sql[400];
	connection_result_fn *done;
	void *arg, *tag;
};

static struct {
	struct sent_statement sent[SENT_MAX];
	size_t count;
	int stored[KEYS_MAX], open[KEYS_MAX]; /* committed; in the open transaction */
	size_t stored_count, open_count, saved_count;
	bool aborted;
	char last_tag[16];
	int poison;          /* storing this key fails with 22P02; 0: none */
	int existing;        /* storing this key as new fails with 23505; 0: none */
	bool stale;          /* a statement that relies on a hint fails with 42P01 */
	bool broken;         /* every statement that stores keys does */
	const char *lost_at; /* the connection breaks at this statement; NULL: never */
	bool no_memory;      /* the poison fails with 53200 instead */
	unsigned attempts;   /* transactions begun */
	unsigned savepoints;
	unsigned outbox_rows; /* stored by transactions that committed or not */
} db;

static bool fake_fails(const struct sent_statement *s, struct db_failure *failure)
{
	char sql[400];
	bool as_new = strncmp(s->sql, "new", 3) == 0;
	*failure = (struct db_failure){ .kind = DB_COMMAND, .tag = s->tag };
	if (db.lost_at && strncmp(s->sql, db.lost_at, strlen(db.lost_at)) == 0) {
		failure->kind = DB_LOST;
		return true;
	}
	if ((db.stale && strncmp(s->sql, "hint", 4) == 0) ||
		(db.broken && strncmp(s->sql, "put", 3) == 0)) {
		failure->kind = DB_SETUP;
		memcpy(failure->sqlstate, "42P01", sizeof("42P01"));
		return true;
	}
	memcpy(sql, s->sql, sizeof(sql));
	for (char *word = strtok(sql, " "); word; word = strtok(NULL, " ")) {
		int key = atoi(word);
		if (key && key == db.poison) {
			failure->kind = db.no_memory ? DB_OUTAGE : DB_COMMAND;
			memcpy(failure->sqlstate, db.no_memory ? "53200" : "22P02", 6);
			return true;
		}
		if (key && key == db.existing && as_new) {
			memcpy(failure->sqlstate, "23505", 6);
			return true;
		}
	}
	return false;
}

static void fake_put(const char *list)
{
	char sql[400];
	snprintf(sql, sizeof(sql), "%s", list);
	for (char *word = strtok(sql, " "); word; word = strtok(NULL, " "))
		if (atoi(word))
			db.open[db.open_count++] = atoi(word);
}

static void fake_run(const struct sent_statement *s)
{
	if (strncmp(s->sql, "INSERT INTO :\"schema\".stowage_outbox", 36) == 0) {
		db.outbox_rows++;
	} else if (strncmp(s->sql, "BEGIN", 5) == 0) {
		db.open_count = 0;
		db.attempts++;
	} else if (strncmp(s->sql, "SAVEPOINT", 9) == 0) {
		db.saved_count = db.open_count;
		db.savepoints++;
	} else if (strcmp(s->sql, "COMMIT") == 0) {
		for (size_t i = 0; i < db.open_count; i++)
			db.stored[db.stored_count++] = db.open[i];
		snprintf(db.last_tag, sizeof(db.last_tag), "COMMIT");
	} else if (strncmp(s->sql, "put", 3) == 0 || strncmp(s->sql, "new", 3) == 0 ||
		strncmp(s->sql, "hint", 4) == 0) {
		fake_put(s->sql);
	}
	if (s->done)
		s->done(s->arg, NULL);
}

/* After an error the server skips statements up to the next sync; ROLLBACK TO comes behind one. */
enum db_kind connection_drain(struct connection *connection, struct db_failure *failure)
{
	enum db_kind kind = DB_OK;
	(void)connection;
	for (size_t i = 0; i < db.count && kind == DB_OK; i++) {
		struct sent_statement s = db.sent[i];
		bool lost = db.lost_at && strncmp(s.sql, db.lost_at, strlen(db.lost_at)) == 0;
		if (strncmp(s.sql, "ROLLBACK TO", 11) == 0 && !lost) {
			db.open_count = db.saved_count;
			db.aborted = false;
		} else if ((db.aborted && !lost) || fake_fails(&s, failure)) {
			db.aborted = true;
			kind = failure->kind;
		} else {
			fake_run(&s);
		}
	}
	db.count = 0;
	return kind;
}

enum db_kind connection_sync(struct connection *connection, struct db_failure *failure)
{
	return connection_drain(connection, failure);
}

void connection_send(struct connection *connection, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag)
{
	struct sent_statement *s = &db.sent[db.count++];
	(void)connection;
	(void)schema;
	(void)params;
	cr_assert_lt(db.count, SENT_MAX);
	snprintf(s->sql, sizeof(s->sql), "%s", sql);
	s->done = done;
	s->arg = arg;
	s->tag = tag;
}

void connection_send_composed(struct connection *connection, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag)
{
	connection_send(connection, sql, schema, params, done, arg, tag);
}

/* For a command that runs outside of transactions; no test runs one. */
bool connection_open(struct connection *connection, struct db_failure *failure)
{
	(void)connection, (void)failure;
	return true;
}

void connection_close(struct connection *connection)
{
	(void)connection;
}

void connection_rollback(struct connection *connection)
{
	(void)connection;
	db.open_count = db.count = 0;
	db.aborted = false;
}

const char *connection_last_tag(const struct connection *connection)
{
	(void)connection;
	return db.last_tag;
}

/* --- commands: each call stores one key, which stands in place of its request --- */

static bool use_hints, insert_as_new;
static int greedy; /* the command that stores this key takes too much memory; 0: none */

static int key_of(const struct call *call)
{
	return (int)(intptr_t)call->request;
}

static void stored(struct context *ctx, const struct rows *rows, void *arg)
{
	(void)rows;
	(void)arg;
	for (size_t i = 0; i < ctx->count; i++)
		call_reply_null(ctx, ctx->calls[i]);
}

/* One statement for all calls of the context. */
static void put(struct context *ctx)
{
	const char *verb = "put";
	if (use_hints && context_use_hints(ctx))
		verb = "hint";
	if (insert_as_new && context_insert_optimistically(ctx, 100))
		verb = "new";
	char *sql = arena_alloc(ctx->arena, 400);
	int used = snprintf(sql, 400, "%s", verb);
	for (size_t i = 0; i < ctx->count; i++)
		if (key_of(ctx->calls[i]) == greedy)
			arena_alloc(ctx->arena, COMMAND_BYTES + 1);
	for (size_t i = 0; i < ctx->count; i++)
		used += snprintf(sql + used, 400 - (size_t)used, " %d", key_of(ctx->calls[i]));
	context_send_sql(ctx, sql, stored, NULL);
}

static const struct command_def put_command = {
	.name = "test.put", .flags = COMMAND_WRITE | COMMAND_FOLD, .fold_group = 1, .handler = put
};

/* --- a batch of one lane --- */

static struct engine engine;
static struct order_clock order_clock;
static struct config config;
static struct metrics *metrics;
static struct transaction transaction;
static struct batch batch;
static struct lane *lane;
static struct catalog *catalog;

static void make(void)
{
	static const struct lanes_limits limits = { .batch_commands = 100,
		.large_batches = 1,
		.detached_reads = 1,
		.slow_max = 1,
		.batch_bytes = 1 << 20,
		.memory_bytes = 1 << 24 };
	memset(&db, 0, sizeof(db));
	use_hints = insert_as_new = false;
	greedy = 0;
	metrics = metrics_new(command_names, command_count);
	config.postgres.schema_name = "public";
	engine = (struct engine){ .config = &config,
		.metrics = metrics,
		.lanes = lanes_new(&limits, metrics),
		.clock = &order_clock,
		.settings = { .max_reply_bytes = 1000, .command_bytes = COMMAND_BYTES } };
	char error[256];
	catalog = catalog_new(NULL, error, sizeof(error));
	cr_assert_not_null(catalog, "%s", error);
	engine.catalog = catalog;
	lane = lanes_add(engine.lanes, "topic", 0);
	batch_init(&batch, &engine);
	transaction = (struct transaction){ .engine = &engine };
	transaction.session = (struct context_session){ .engine = &engine,
		.settings = &engine.settings,
		.schema = "public",
		.params = params_new(),
		.hints = hints_new() };
	transaction.table =
		(struct lane_table){ .schema = "public", .group = "g", .params = params_new() };
}

static void drop(void)
{
	for (size_t i = 0; i < batch.job_count; i++)
		batch.jobs[i].message = NULL;
	batch_finish(&batch);
	batch_free(&batch);
	params_free(transaction.session.params);
	params_free(transaction.table.params);
	hints_free(transaction.session.hints);
	lanes_free(engine.lanes);
	metrics_free(metrics);
	catalog_free(catalog);
}

TestSuite(transaction, .init = make, .fini = drop);

static rd_kafka_message_t messages[KEYS_MAX];

/* Jobs that store the keys 1 to `count`. */
static void fill(size_t count)
{
	int write = command_find("memory.saveThread", strlen("memory.saveThread"));
	batch_checkpoint(&batch, &lane, 1);
	batch.jobs = calloc(count, sizeof(*batch.jobs));
	batch.job_size = batch.job_count = batch.call_count = count;
	for (size_t i = 0; i < count; i++) {
		struct call *call = arena_calloc(batch.arena, 1, sizeof(*call));
		*call = (struct call){ .command = &put_command,
			.request = (const void *)(intptr_t)(i + 1) };
		messages[i] = (rd_kafka_message_t){ .offset = (int64_t)i };
		batch.jobs[i] = (struct job){ .lane = lane,
			.message = &messages[i],
			.command = write,
			.headers = { .reply_to = { "replies", 7 }, .reply_partition = -1 },
			.can_reply = true,
			.calls = call,
			.call_count = 1 };
	}
	batch.lanes[0].count = count;
	batch.lanes[0].end = (int64_t)count;
}

static struct db_failure failure;

static enum db_kind run(void)
{
	bool written;
	return transaction_run(&transaction, &batch, &failure, &written);
}

/* All keys from 1 to `count` but one are stored, in order, each once. */
static void expect_stored(size_t count, int without)
{
	size_t at = 0;
	for (int key = 1; key <= (int)count; key++)
		if (key != without)
			cr_assert_eq(db.stored[at++], key, "place %zu holds %d", at - 1,
				db.stored[at - 1]);
	cr_assert_eq(db.stored_count, at);
}

Test(transaction, commits_a_batch_in_one_attempt)
{
	fill(5);
	cr_assert_eq(run(), DB_OK);
	expect_stored(5, 0);
	cr_assert_eq(db.attempts, 1);
	cr_assert_eq(db.savepoints, 0);
	cr_assert_eq(db.outbox_rows, 1);
	cr_assert_eq(batch.jobs[4].disposition, DISPOSITION_REPLY_STORED);
}

Test(transaction, isolates_the_failing_command_and_commits_its_neighbours)
{
	for (int poison = 1; poison <= 7; poison++) {
		drop();
		make();
		fill(7);
		db.poison = poison;
		cr_assert_eq(run(), DB_OK, "poison %d", poison);
		expect_stored(7, poison);
		cr_assert_eq(db.attempts, 2);
		cr_assert_eq(transaction.session.level, ATTEMPT_ISOLATING);
		const struct call *failed = &batch.jobs[poison - 1].calls[0];
		cr_assert_eq(failed->state, CALL_FAILED);
		cr_assert_eq(failed->failure.category, FAILURE_INVALID);
		cr_assert_eq(batch.jobs[poison - 1].disposition, DISPOSITION_REPLY_STORED);
	}
}

Test(transaction, fails_alone_the_command_that_needs_too_much_memory)
{
	for (size_t count = 1; count <= 7; count += 3) {
		for (greedy = 1; greedy <= (int)count; greedy++) {
			int key = greedy;
			drop();
			make();
			greedy = key;
			fill(count);
			cr_assert_eq(run(), DB_OK, "key %d", key);
			expect_stored(count, key);
			const struct call *failed = &batch.jobs[key - 1].calls[0];
			cr_assert_eq(failed->state, CALL_FAILED);
			cr_assert_str_eq(failed->failure.code, "COMMAND_TOO_LARGE");
			cr_assert_eq(batch.jobs[key - 1].disposition, DISPOSITION_REPLY_STORED);
		}
	}
}

Test(transaction, runs_again_without_assumptions_when_a_row_existed)
{
	fill(4);
	insert_as_new = true;
	db.existing = 3;
	cr_assert_eq(run(), DB_OK);
	expect_stored(4, 0);
	cr_assert_eq(db.attempts, 2);
	cr_assert_eq(db.savepoints, 0, "no command is at fault");
	cr_assert_eq(transaction.session.level, ATTEMPT_PLAIN);
	cr_assert_eq(transaction.session.optimistic.skip, 100);
}

Test(transaction, runs_again_without_hints_when_one_was_stale)
{
	fill(4);
	use_hints = true;
	db.stale = true;
	cr_assert_eq(run(), DB_OK);
	expect_stored(4, 0);
	cr_assert_eq(db.attempts, 2);
	cr_assert_eq(transaction.session.level, ATTEMPT_PLAIN);
}

Test(transaction, climbs_the_whole_ladder)
{
	fill(4);
	insert_as_new = true;
	db.existing = 2;
	db.poison = 4;
	cr_assert_eq(run(), DB_OK);
	expect_stored(4, 4);
	cr_assert_eq(db.attempts, 3);
	cr_assert_eq(transaction.session.level, ATTEMPT_ISOLATING);
}

Test(transaction, starts_every_batch_at_the_bottom)
{
	fill(2);
	db.poison = 2;
	cr_assert_eq(run(), DB_OK);
	db.poison = 0;
	drop();
	make();
	fill(2);
	cr_assert_eq(run(), DB_OK);
	cr_assert_eq(transaction.session.level, ATTEMPT_OPTIMISTIC);
	cr_assert_eq(db.savepoints, 0);
}

Test(transaction, gives_up_on_a_lost_connection)
{
	fill(3);
	db.lost_at = "COMMIT";
	cr_assert_eq(run(), DB_LOST);
	cr_assert_eq(db.attempts, 1, "a COMMIT whose fate is unknown never runs again");
}

Test(transaction, does_not_blame_a_command_for_a_broken_installation)
{
	fill(3);
	db.broken = true;
	cr_assert_eq(run(), DB_SETUP);
	cr_assert_eq(db.attempts, 1);
	cr_assert_eq(db.stored_count, 0);
}

Test(transaction, names_the_loss_and_not_the_command_before_it)
{
	fill(3);
	db.poison = 2;
	db.lost_at = "ROLLBACK TO";
	cr_assert_eq(run(), DB_LOST);
	cr_assert_eq(failure.kind, DB_LOST);
	cr_assert_str_empty(failure.sqlstate);
}

/* A server may be short of memory for a while; a command that needs too much is short of it always. */
Test(transaction, blames_a_command_for_memory_only_after_several_failures)
{
	fill(3);
	db.poison = 2;
	db.no_memory = true;
	cr_assert_eq(run(), DB_OUTAGE);
	cr_assert_eq(db.attempts, 1);
	transaction.retries = 6;
	cr_assert_eq(run(), DB_OK);
	expect_stored(3, 2);
}
