/*
 * main.c - a model check of lanes, fence, outbox and rebalance
 *
 *   model [--seconds N] [--seed N] [--break fence] [--one]
 *
 * The engine's own code (executors, batches, transactions, claims, deliveries) and the lanes run on a
 * simulated Kafka, PostgreSQL and consumer group, on a virtual clock. Each schedule follows from its
 * seed. First come small systematic schedules: one fault at each step of a quiet run. Then random ones
 * with many faults. In each of them every effect must come once and in order, every reply at least once,
 * nothing may be skipped, and no fenced worker may have an effect. A broken promise ends the program; it
 * prints the seed and the last lines of the trace.
 *
 * --one runs the schedule of --seed alone. --break leaves a mechanism out: the program then succeeds only
 * if a schedule breaks a promise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/model/catalog.h"
#include "tests/model/database.h"
#include "tests/model/group.h"
#include "tests/model/kafka.h"
#include "tests/model/model.h"

#define SECONDS_DEFAULT 10
#define PROCESSES 2
/* Schedules of one process: what killed workers held is freed with it. */
#define SCHEDULES_PER_PROCESS 200
#define SEEDS 256
#define FAULTY_STEPS 1500
#define HEALED_STEPS 200000
#define SYSTEMATIC_STEPS 400

struct model model;

static struct totals {
	long schedules, steps, strikes;
	uint64_t seeds[SEEDS]; /* that processes run, by their number */
} *totals;                     /* shared with the processes that run schedules */

int __real_clock_gettime(clockid_t clock, struct timespec *time);

const struct catalog *model_catalog(void)
{
	static struct catalog *catalog;
	char error[512];
	if (!catalog)
		catalog = catalog_new(NULL, error, sizeof(error));
	if (!catalog) {
		fprintf(stderr, "model: %s\n", error);
		abort();
	}
	return catalog;
}

/* --- the commands of a schedule --- */

const struct command *command_at(int partition, int64_t offset)
{
	return &model.commands[partition][offset];
}

int writes_before(int partition, int64_t offset)
{
	int count = 0;
	for (int o = 0; o < offset; o++)
		count += model.commands[partition][o].kind == KIND_WRITE;
	return count;
}

bool is_answered(int partition, int64_t offset)
{
	const struct command *command = command_at(partition, offset);
	bool fails = command->kind == KIND_POISON || command->kind == KIND_BAD;
	if (command->kind == KIND_GAP)
		return true;
	if (command->asks && model.replies[partition][offset] == 0)
		return false;
	if (command->kind == KIND_BAD || (fails && !command->asks))
		return model.letters[partition][offset] > 0;
	return true;
}

bool strikes(int n)
{
	bool now = sim_one_in(n);
	model.strikes += now;
	return now;
}

static void make_commands(void)
{
	static const enum kind kinds[] = { KIND_WRITE, KIND_WRITE, KIND_WRITE, KIND_READ,
		KIND_DETACHED, KIND_POISON, KIND_BAD, KIND_GAP };
	for (int p = 0; p < model.partitions; p++) {
		for (int o = 0; o < model.offsets; o++)
			model.commands[p][o] = (struct command){
				.kind = kinds[sim_below(sizeof(kinds) / sizeof(*kinds))],
				.asks = sim_below(4) > 0,
			};
		model.commands[p][model.offsets - 1].kind = KIND_WRITE;
		model.visible[p] = sim_below(model.offsets + 1);
	}
}

static int rate(int most)
{
	return sim_one_in(2) ? 0 : most / 10 + sim_below(most);
}

static void choose_faults(void)
{
	model.faults = (struct faults){
		.crash = rate(400),
		.freeze = rate(600),
		.rebalance = rate(400),
		.cut = rate(200),
		.statement = rate(100),
		.producer = rate(100),
		.undelivered = rate(60),
		.misfetch = rate(40),
		.connect = rate(6),
		.topics = rate(20),
		.restart = rate(600),
		.suspect = sim_one_in(8),
	};
}

/* --- one schedule --- */

static bool is_done(void)
{
	for (int p = 0; p < model.partitions; p++) {
		if (!database_is_settled(p))
			return false;
		for (int o = 0; o < model.offsets; o++)
			if (!is_answered(p, o))
				return false;
	}
	return true;
}

static void check_end(void)
{
	char text[128];
	for (int p = 0; p < model.partitions; p++) {
		database_describe(p, text, sizeof(text));
		if (!database_is_settled(p))
			sim_broken("partition %d is stuck: %s", p, text);
		if (model.effects[p] != writes_before(p, model.offsets))
			sim_broken("partition %d: %d of %d effects are there", p, model.effects[p],
				writes_before(p, model.offsets));
		for (int o = 0; o < model.offsets; o++)
			if (!is_answered(p, o))
				sim_broken("partition %d offset %d is not answered", p, o);
	}
}

static void finish(void)
{
	group_heal();
	for (int i = 0; i < HEALED_STEPS && !sim_verdict() && !is_done(); i++) {
		group_turn();
		sim_step();
	}
	check_end();
	totals->schedules++;
	totals->steps += sim_steps();
	totals->strikes += model.strikes;
	sim_end();
	database_end();
}

static void run_random(uint64_t seed, const char *broken)
{
	static const int switches[] = { 1, 1, 2, 4, 16 };
	memset(&model, 0, sizeof(model));
	sim_start(seed, switches[seed % 5]);
	model.broken = broken;
	model.partitions = 1 + sim_below(PARTITIONS_MAX);
	model.offsets = 2 + sim_below(OFFSETS_MAX - 2);
	make_commands();
	choose_faults();
	database_start();
	group_start(1 + sim_below(WORKERS_MAX), 1 + sim_below(2));
	int steps = sim_below(FAULTY_STEPS);
	for (int i = 0; i < steps && !sim_verdict(); i++) {
		group_turn();
		sim_step();
	}
	finish();
}

/* A quiet run of a small case with one fault at one step. */
static void run_systematic(uint64_t number, const char *broken)
{
	enum single_fault fault = 1 + (enum single_fault)(number % (SINGLE_COUNT - 1));
	int at = (int)(number / (SINGLE_COUNT - 1) % SYSTEMATIC_STEPS);
	memset(&model, 0, sizeof(model));
	sim_start(number / (SINGLE_COUNT - 1) / SYSTEMATIC_STEPS, 1);
	model.broken = broken;
	model.partitions = 1;
	model.offsets = 4;
	make_commands();
	model.visible[0] = model.offsets;
	database_start();
	group_start(2, 1);
	for (int i = 0; i < SYSTEMATIC_STEPS && !sim_verdict(); i++) {
		if (i == at)
			group_strike(fault);
		group_turn();
		sim_step();
	}
	finish();
}

/* Seeds below this one are systematic. */
#define RANDOM_SEEDS 1000000000u

static bool run_seed(uint64_t seed, const char *broken)
{
	totals->seeds[getpid() % SEEDS] = seed;
	if (seed < RANDOM_SEEDS)
		run_systematic(seed, broken);
	else
		run_random(seed, broken);
	if (!sim_verdict())
		return true;
	fprintf(stderr, "model: seed %llu: %s\n", (unsigned long long)seed, sim_verdict());
	sim_print_trace();
	fprintf(stderr, "model: run it again with: model --one --seed %llu%s%s\n",
		(unsigned long long)seed, broken ? " --break " : "", broken ? broken : "");
	return false;
}

/* --- many schedules, in processes of their own --- */

struct options {
	double seconds;
	uint64_t seed;
	const char *broken;
	bool one;
};

static double now_seconds(void)
{
	struct timespec time;
	__real_clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static pid_t run_some(uint64_t first, const struct options *options)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	for (uint64_t i = 0; i < SCHEDULES_PER_PROCESS; i++)
		if (!run_seed(first + i, options->broken))
			_exit(1);
	_exit(0);
}

static bool run_until(const struct options *options, uint64_t first, double end, uint64_t count)
{
	bool passed = true;
	int running = 0;
	uint64_t next = first;
	while (running > 0 || (passed && now_seconds() < end && next < first + count)) {
		if (running < PROCESSES && passed && now_seconds() < end && next < first + count) {
			run_some(next, options);
			next += SCHEDULES_PER_PROCESS;
			running++;
			continue;
		}
		int status;
		pid_t pid = wait(&status);
		running--;
		passed = passed && status == 0;
		if (WIFSIGNALED(status))
			fprintf(stderr,
				"model: signal %d ended a process; the seed before: see --seed %llu\n",
				WTERMSIG(status), (unsigned long long)totals->seeds[pid % SEEDS]);
	}
	return passed;
}

static struct options read_options(int count, char **arguments)
{
	struct options options = { .seconds = SECONDS_DEFAULT, .seed = RANDOM_SEEDS };
	for (int i = 1; i < count; i++) {
		const char *value = i + 1 < count ? arguments[i + 1] : "";
		if (strcmp(arguments[i], "--one") == 0) {
			options.one = true;
			continue;
		}
		if (strcmp(arguments[i], "--seconds") == 0)
			options.seconds = strtod(value, NULL);
		else if (strcmp(arguments[i], "--seed") == 0)
			options.seed = strtoull(value, NULL, 10);
		else if (strcmp(arguments[i], "--break") == 0)
			options.broken = value;
		i++;
	}
	return options;
}

int main(int count, char **arguments)
{
	struct options options = read_options(count, arguments);
	totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		0);
	model_catalog();
	kafka_prepare();
	bool passed;
	double start = now_seconds(), end = start + options.seconds;
	if (options.one) {
		passed = run_seed(options.seed, options.broken);
	} else {
		uint64_t small = (SINGLE_COUNT - 1) * SYSTEMATIC_STEPS;
		passed = run_until(&options, 0, start + options.seconds / 2, small * 8);
		passed = passed && run_until(&options, options.seed, end, UINT64_MAX / 2);
	}
	fprintf(stderr, "model: %ld schedules, %ld steps, %ld faults in %.1f s\n",
		totals->schedules, totals->steps, totals->strikes, now_seconds() - start);
	if (options.broken && !options.one)
		passed = !passed;
	/* tests/run counts tests by this line. */
	printf("[====] Synthesis: Tested: 1 | Passing: %d | Failing: %d | Crashing: 0\n", passed,
		!passed);
	return passed ? 0 : 1;
}
