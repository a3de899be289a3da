/* worker.c - starts the engine's executors on the simulation, and plays the consumer's thread */
#include "tests/model/worker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/domains/command_table.h"
#include "schemas/base/alloc.h"
#include "tests/model/catalog.h"
#include "tests/model/database.h"
#include "tests/model/kafka.h"
#include "tests/model/model.h"
#include "worker/engine/executor.h"
#include "worker/lanes/queue.h"

#define TOPIC "commands"
#define WORDS_MAX 32
#define FETCH_MAX 8
#define REVOKE_MS 30000
#define LOOP_MS 100

struct worker {
	struct process process; /* first: its tasks find their worker by it */
	struct engine engine;
	struct order_clock clock;
	int executors;
	struct {
		enum group_word word;
		int partition;
	} words[WORDS_MAX];
	int word_head, word_tail;
	int fetch_at[PARTITIONS_MAX]; /* next offset that the consumer fetches */
	/* Messages that the consumer has left out. It leaves none out twice: the lane takes that for a
	 * gap in the log. */
	bool left_out[PARTITIONS_MAX][OFFSETS_MAX];
	bool woken;
};

static struct config config = {
	.postgres = { .schema_name = (char *)(uintptr_t)"public",
		.idle_timeout_ms = 10000,
		.lock_timeout_ms = 2000,
		.statement_timeout_ms = 60000,
		.max = 2 },
	.kafka = { .group_id = (char *)(uintptr_t)"g",
		.offset_reset = (char *)(uintptr_t)"earliest" },
	.batch = { .max_commands = 5, .max_bytes = 1 << 20 },
	.limits = { .attempts = 500, .headers = 100, .header_bytes = 10000 },
};

/* --- the consumer's thread --- */

static struct lane *find(struct worker *w, int partition)
{
	return lanes_find(w->engine.lanes, TOPIC, partition);
}

/* Nothing waits longer than the time, and chance ends it before. */
static void revoke(struct worker *w, int partition)
{
	struct lane *lane = find(w, partition);
	if (!lane)
		return;
	lanes_revoking(w->engine.lanes, lane);
	if (sim_one_in(2))
		lanes_revoke(w->engine.lanes, lane, sim_now() / MS + sim_below(REVOKE_MS));
	else
		lanes_revoke(w->engine.lanes, lane, 0);
	sim_trace("partition %d is revoked", partition);
	group_given_up(w, partition);
}

static void hear(struct worker *w)
{
	while (w->word_head < w->word_tail) {
		int partition = w->words[w->word_head % WORDS_MAX].partition;
		switch (w->words[w->word_head++ % WORDS_MAX].word) {
		case GROUP_ASSIGN:
			sim_trace("partition %d is assigned", partition);
			lanes_add(w->engine.lanes, TOPIC, partition);
			break;
		case GROUP_REVOKE:
			revoke(w, partition);
			break;
		case GROUP_LOST:
			sim_trace("partition %d is lost", partition);
			if (find(w, partition))
				lanes_revoke(w->engine.lanes, find(w, partition), 0);
			break;
		}
	}
}

/* Delivers what follows. A client library may leave a message out, or deliver one again. */
static size_t fetch_some(struct worker *w, int partition, rd_kafka_message_t **messages,
	size_t most)
{
	int *at = &w->fetch_at[partition];
	size_t count = 0;
	while (count < most && *at < model.visible[partition]) {
		rd_kafka_message_t *message = kafka_fetch(partition, (*at)++);
		if (!message)
			continue;
		bool *left_out = &w->left_out[partition][message->offset];
		if (!*left_out && strikes(model.faults.misfetch)) {
			*left_out = true;
			free(message);
			continue;
		}
		messages[count++] = message;
		if (strikes(model.faults.misfetch))
			*at = message->offset > 0 ? sim_below((int)message->offset) : 0;
	}
	return count;
}

static void fill(struct worker *w, struct lane *lane)
{
	rd_kafka_message_t *messages[FETCH_MAX];
	int partition = lane->partition;
	size_t room = lanes_room(w->engine.lanes, lane);
	if (room == 0)
		return;
	if (room > FETCH_MAX)
		room = FETCH_MAX;
	size_t count = fetch_some(w, partition, messages, 1 + (size_t)sim_below((int)room));
	lanes_push(w->engine.lanes, lane, messages, count);
	if (count == 0 && w->fetch_at[partition] == model.visible[partition])
		lanes_reached_end(w->engine.lanes, lane, model.visible[partition]);
}

static void serve(struct worker *w)
{
	struct lane *lane;
	size_t at = 0;
	bool seeking;
	for (size_t i = 0; i < lanes_count(w->engine.lanes); i++) {
		lane = lanes_at(w->engine.lanes, i);
		atomic_store(&lane->fetch.arrived,
			w->fetch_at[lane->partition] < model.visible[lane->partition] ||
				sim_one_in(4));
	}
	while ((lane = lanes_next_to_serve(w->engine.lanes, &at, &seeking))) {
		if (seeking && !sim_one_in(8)) {
			w->fetch_at[lane->partition] = (int)lane->offsets.next;
			sim_yield();
			lanes_started(w->engine.lanes, lane);
		}
		fill(w, lane);
	}
}

static bool is_called(void *arg)
{
	const struct worker *w = arg;
	return w->woken || w->word_head < w->word_tail;
}

int __wrap_eventfd_write(int fd, uint64_t value);

/* A lane wakes the consumer's thread of its worker. */
int __wrap_eventfd_write(int fd, uint64_t value)
{
	(void)fd, (void)value;
	struct process *process = sim_process();
	if (process) /* the first member of its worker */
		((struct worker *)(void *)process)->woken = true;
	return 0;
}

static void *consume(void *arg)
{
	struct worker *w = arg;
	for (;;) {
		hear(w);
		serve(w);
		sim_wait(is_called, w, sim_now() + LOOP_MS * MS);
		w->woken = false;
	}
	return NULL;
}

/* --- the process --- */

static void *start(void *arg)
{
	struct worker *w = arg;
	w->engine.producer = producer_start(&w->process, w->engine.lanes);
	for (int i = 0; i < w->executors; i++)
		executor_start(&w->engine);
	return consume(w);
}

static void make_engine(struct engine *engine, int executors)
{
	const struct lanes_limits limits = { .batch_commands = 5,
		.large_batches = 2,
		.detached_reads = 1,
		.slow_max = 2,
		.batch_bytes = 1 << 20,
		.memory_bytes = 1 << 24 };
	static struct metrics *metrics;
	static struct log *log;
	static regex_t allow;
	if (!metrics) {
		metrics = metrics_new(command_names, command_count);
		log = log_new(LOG_ERROR, LOG_LOGFMT, open("/dev/null", O_WRONLY | O_CLOEXEC));
		if (regcomp(&allow, "^replies$", REG_EXTENDED | REG_NOSUB))
			abort();
	}
	*engine = (struct engine){
		.config = &config,
		.log = log,
		.metrics = metrics,
		.catalog = model_catalog(),
		.lanes = lanes_new(&limits, metrics),
		.outage = outage_new(log, metrics),
		.pool = pool_new(log, metrics, executors),
		.reply_allow = allow,
		.limits = { .message_bytes = 1 << 20,
			.string_bytes = 1 << 20,
			.array_items = 1000,
			.depth = 16,
			.json_depth = 64 },
		.settings = { .max_reply_bytes = 1 << 20, .command_bytes = 32 << 20 },
	};
}

struct worker *worker_start(int number, int executors)
{
	struct worker *w = alloc_zero(1, sizeof(*w));
	w->process = (struct process){ .number = number, .alive = true };
	w->executors = executors;
	make_engine(&w->engine, executors);
	w->engine.clock = &w->clock;
	sim_task(&w->process, "consumer", start, w);
	return w;
}

struct process *worker_process(struct worker *worker)
{
	return &worker->process;
}

void worker_hear(struct worker *w, enum group_word word, int partition)
{
	if (w->word_tail - w->word_head == WORDS_MAX)
		abort();
	w->words[w->word_tail % WORDS_MAX].word = word;
	w->words[w->word_tail++ % WORDS_MAX].partition = partition;
}

/* What a dead process held is not freed: the schedules run in short-lived processes of their own. */
void worker_kill(struct worker *w)
{
	sim_trace("worker %d dies", w->process.number);
	sim_kill(&w->process);
	database_drop(&w->process);
	if (w->engine.producer)
		producer_drop(w->engine.producer);
}
