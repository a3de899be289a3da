/* executor.c - tests of what an executor does with lanes when the database fails, on a fake connection */
#include "worker/engine/executor.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "schemas/base/clock.h"
#include "tests/unit/worker/engine/fake_connection.h"
#include "worker/lanes/work.h"

#define WAIT_MS 10000

/* --- the fake connection: each batch ends as the next of these says, the last one repeats --- */

static enum db_kind ends[4];
static atomic_int batches, opens;
static bool is_open;

static enum db_kind next_end(struct db_failure *failure)
{
	int i = atomic_fetch_add(&batches, 1);
	enum db_kind kind = ends[i < 3 ? i : 3];
	*failure = (struct db_failure){ .kind = kind };
	if (kind == DB_FENCED)
		memcpy(failure->detail, "0", 2);
	if (kind == DB_LOST)
		is_open = false;
	return kind;
}

struct connection *connection_new(const struct connection_options *options)
{
	(void)options;
	return malloc(1);
}

void connection_free(struct connection *connection)
{
	free(connection);
}

bool connection_open(struct connection *connection, struct db_failure *failure)
{
	(void)connection;
	(void)failure;
	atomic_fetch_add(&opens, 1);
	return is_open = true;
}

bool connection_is_open(const struct connection *connection)
{
	(void)connection;
	return is_open;
}

void connection_close(struct connection *connection)
{
	(void)connection;
	is_open = false;
}

void connection_send(struct connection *connection, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag)
{
	(void)connection, (void)sql, (void)schema, (void)params, (void)done, (void)arg, (void)tag;
}

void connection_send_composed(struct connection *connection, const char *sql, const char *schema,
	struct params *params, connection_result_fn *done, void *arg, void *tag)
{
	connection_send(connection, sql, schema, params, done, arg, tag);
}

enum db_kind connection_drain(struct connection *connection, struct db_failure *failure)
{
	(void)connection, (void)failure;
	return DB_OK;
}

/* The executor syncs once a batch: at COMMIT. */
enum db_kind connection_sync(struct connection *connection, struct db_failure *failure)
{
	(void)connection;
	return next_end(failure);
}

void connection_rollback(struct connection *connection)
{
	(void)connection;
}

const char *connection_last_tag(const struct connection *connection)
{
	(void)connection;
	return "COMMIT";
}

void connection_forget_statements(struct connection *connection)
{
	(void)connection;
}

/* --- nothing is sent to Kafka here --- */

void producer_send(struct producer *producer, const struct outgoing *message,
	const struct delivery *delivery)
{
	(void)producer, (void)message, (void)delivery;
}

size_t producer_send_stored(struct producer *producer, const void *payload, size_t size,
	const struct delivery *delivery)
{
	(void)producer, (void)payload, (void)size, (void)delivery;
	return 0;
}

void producer_flush(struct producer *producer)
{
	(void)producer;
}

void producer_flush_gathered(struct producer *producer, int64_t gather_ms)
{
	(void)producer, (void)gather_ms;
}

enum reply_topic reply_topics_known(struct reply_topics *topics, const char *name, size_t size,
	int32_t *partitions)
{
	(void)topics, (void)name, (void)size, (void)partitions;
	return REPLY_TOPIC_UNSURE;
}

void reply_topics_ask(struct reply_topics *topics, const char *const *names, size_t count)
{
	(void)topics, (void)names, (void)count;
}

/* --- an executor with one idle lane, whose row is behind --- */

static struct engine engine;
static struct order_clock order_clock;
static struct config config;
static struct lane *lane;

static void make(void)
{
	static const struct lanes_limits limits = { .batch_commands = 10,
		.large_batches = 1,
		.detached_reads = 1,
		.slow_max = 1,
		.batch_bytes = 1 << 20,
		.memory_bytes = 1 << 24 };
	config.postgres.schema_name = "public";
	config.postgres.idle_timeout_ms = 100;
	config.kafka.group_id = "g";
	engine = (struct engine){
		.config = &config, .metrics = metrics_new(NULL, 0), .clock = &order_clock
	};
	engine.log = log_new(LOG_ERROR, LOG_LOGFMT, open("/dev/null", O_WRONLY));
	engine.outage = outage_new(engine.log, engine.metrics);
	engine.pool = pool_new(engine.log, engine.metrics, 1);
	engine.lanes = lanes_new(&limits, engine.metrics);
	lane = lanes_add(engine.lanes, "topic", 0);
	lane->state = LANE_RUNNING;
	lane->offsets = (struct lane_offsets){ .next = 20, .position = 20, .applied = 10 };
}

static void drop(void)
{
	lanes_free(engine.lanes);
	outage_free(engine.outage);
	pool_free(engine.pool);
	metrics_free(engine.metrics);
	log_free(engine.log);
}

TestSuite(executor, .init = make, .fini = drop, .timeout = 60);

static void run_until(int count)
{
	struct executor *executor = executor_start(&engine);
	int64_t end = clock_tick_ms() + WAIT_MS;
	while (atomic_load(&batches) < count && clock_tick_ms() < end)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	lanes_quit(engine.lanes);
	executor_join(executor);
	cr_assert_geq(atomic_load(&batches), count);
}

Test(executor, moves_a_lane_on_after_its_commit)
{
	run_until(1);
	cr_assert_eq(lane->offsets.applied, 20);
	cr_assert_eq(lane->offsets.answered, 20);
	cr_assert_eq(lane->state, LANE_RUNNING);
	cr_assert_eq(lane->schedule.retries, 0);
	cr_assert_not(lane->schedule.busy);
}

Test(executor, retries_what_was_rolled_back_for_others)
{
	ends[0] = ends[1] = DB_CONTEND;
	run_until(3);
	cr_assert_eq(lane->offsets.applied, 20);
	cr_assert_eq(lane->state, LANE_RUNNING);
	cr_assert_eq(atomic_load(&opens), 1);
}

Test(executor, retries_after_an_outage)
{
	ends[0] = DB_OUTAGE;
	run_until(2);
	cr_assert_eq(lane->offsets.applied, 20);
	cr_assert_not(outage_is_on(engine.outage, (char[64]){ 0 }, 64));
}

/* The COMMIT may have arrived: only the row says so. */
Test(executor, has_a_lane_claimed_again_after_a_lost_connection)
{
	ends[0] = DB_LOST;
	run_until(1);
	cr_assert_eq(lane->offsets.applied, 10);
	cr_assert_eq(lane->state, LANE_UNCLAIMED);
}

Test(executor, takes_back_a_counted_run_that_broke_nothing)
{
	lane->suspect = (struct lane_suspect){
		.crash_count = 2, .crash_offset = 19, .loss = { .counted = true }
	};
	run_until(1);
	cr_assert_eq(lane->suspect.crash_count, 1);
	cr_assert_not(lane->suspect.loss.counted);
}

Test(executor, drops_a_fenced_lane)
{
	ends[0] = DB_FENCED;
	run_until(1);
	cr_assert_eq(lane->offsets.applied, 10);
	cr_assert_eq(lane->state, LANE_UNCLAIMED);
	cr_assert_gt(lane->schedule.retry_at, clock_tick_ms());
}
