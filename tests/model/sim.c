/* sim.c - tasks on a virtual clock, and the wrapped functions by which threads become tasks */
#include "tests/model/sim.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include "schemas/base/alloc.h"
#include "tests/support/random_datum.h"

#define STACK_BYTES ((size_t)256 * 1024)
#define TASKS_MAX 64
#define ACTORS_MAX 64
#define TRACE_LINES 60
#define TRACE_WIDTH 160
#define EPOCH_US ((int64_t)1700000000 * 1000 * MS)

struct task {
	struct process *process;
	const char *name;
	void *(*run)(void *);
	void *arg;
	ucontext_t context;
	char *stack;
	bool used, ended;
	bool (*ready)(void *); /* NULL: it waits only for the time */
	void *ready_arg;
	int64_t until; /* 0: runnable */
	bool timed_out;
	pthread_cond_t *cond; /* it waits for a signal */
	bool signalled;
};

static struct {
	struct random random;
	int64_t now;
	int64_t steps;
	int switches;
	struct task tasks[TASKS_MAX];
	int task_count; /* the used ones lie below */
	struct task *current;
	ucontext_t scheduler;
	struct actor actors[ACTORS_MAX];
	int actor_count;
	char trace[TRACE_LINES][TRACE_WIDTH];
	int trace_count;
	char verdict[512];
} sim;

/* --- chance and clock --- */

int sim_below(int bound)
{
	return (int)random_below(&sim.random, (uint64_t)bound);
}

bool sim_one_in(int n)
{
	return n > 0 && sim_below(n) == 0;
}

int64_t sim_now(void)
{
	return sim.now;
}

int64_t sim_steps(void)
{
	return sim.steps;
}

/* --- tasks --- */

static void task_run(void)
{
	struct task *task = sim.current;
	task->run(task->arg);
	task->ended = true;
	swapcontext(&task->context, &sim.scheduler);
}

static struct task *task_unused(void)
{
	for (int i = 0; i < TASKS_MAX; i++) {
		if (sim.tasks[i].used)
			continue;
		if (i >= sim.task_count)
			sim.task_count = i + 1;
		return &sim.tasks[i];
	}
	fprintf(stderr, "model: more than %d tasks\n", TASKS_MAX);
	abort();
}

void sim_task(struct process *process, const char *name, void *(*run)(void *), void *arg)
{
	struct task *task = task_unused();
	char *stack = task->stack ? task->stack : allocate(STACK_BYTES);
	*task = (struct task){ .process = process,
		.name = name,
		.run = run,
		.arg = arg,
		.stack = stack,
		.used = true };
	getcontext(&task->context);
	task->context.uc_stack.ss_sp = stack;
	task->context.uc_stack.ss_size = STACK_BYTES;
	task->context.uc_link = NULL;
	makecontext(&task->context, task_run, 0);
}

static void task_leave(struct task *task)
{
	swapcontext(&task->context, &sim.scheduler);
}

void sim_yield(void)
{
	if (sim.current && sim_one_in(sim.switches))
		task_leave(sim.current);
}

bool sim_wait(bool (*ready)(void *arg), void *arg, int64_t until)
{
	struct task *task = sim.current;
	task->ready = ready;
	task->ready_arg = arg;
	task->until = until;
	task_leave(task);
	task->ready = NULL;
	task->until = 0;
	return !task->timed_out;
}

void sim_sleep(int64_t us)
{
	sim_wait(NULL, NULL, sim.now + us);
}

struct process *sim_process(void)
{
	return sim.current ? sim.current->process : NULL;
}

void sim_kill(struct process *process)
{
	process->alive = false;
	for (int i = 0; i < TASKS_MAX; i++)
		if (sim.tasks[i].used && sim.tasks[i].process == process)
			sim.tasks[i].used = false;
}

static bool task_is_runnable(struct task *task, int64_t *later)
{
	if (!task->used || task->ended || !task->process->alive)
		return false;
	if (task->process->frozen_until > sim.now) {
		if (task->process->frozen_until < *later)
			*later = task->process->frozen_until;
		return false;
	}
	task->timed_out = false;
	if (task->until == 0 || (task->cond && task->signalled))
		return true;
	if (task->ready && task->ready(task->ready_arg))
		return true;
	if (task->until > sim.now) {
		if (task->until < *later)
			*later = task->until;
		return false;
	}
	task->timed_out = true;
	return true;
}

void sim_actor(const struct actor *actor)
{
	if (sim.actor_count == ACTORS_MAX)
		abort();
	sim.actors[sim.actor_count++] = *actor;
}

void sim_start(uint64_t seed, int switches)
{
	sim.random = random_seed(seed * 0x9E3779B97F4A7C15u + 1);
	for (int i = 0; i < 4; i++)
		sim_below(2);
	sim.switches = switches;
	sim.now = 1000 * MS;
	sim.steps = 0;
	sim.actor_count = 0;
	sim.trace_count = 0;
	sim.verdict[0] = '\0';
}

static void resume(struct task *task)
{
	sim.current = task;
	swapcontext(&sim.scheduler, &task->context);
	sim.current = NULL;
	if (task->ended)
		task->used = false;
}

/* Chooses among what can go on. Returns its number: tasks first, then actors; -1: nothing can. */
static int choose(int64_t *later)
{
	int able[TASKS_MAX + ACTORS_MAX], count = 0;
	for (int i = 0; i < sim.task_count; i++)
		if (task_is_runnable(&sim.tasks[i], later))
			able[count++] = i;
	for (int i = 0; i < sim.actor_count; i++)
		if (sim.actors[i].ready(sim.actors[i].arg, later))
			able[count++] = TASKS_MAX + i;
	return count ? able[sim_below(count)] : -1;
}

bool sim_step(void)
{
	int64_t later = INT64_MAX;
	int chosen = choose(&later);
	sim.steps++;
	/* Time passes while threads run; now and then much of it. */
	if (chosen >= 0 && later < INT64_MAX && sim_one_in(200))
		sim.now = later > sim.now ? later : sim.now;
	sim.now += sim_below(100);
	if (chosen < 0) {
		if (later == INT64_MAX)
			return false;
		sim.now = later > sim.now ? later : sim.now;
		return true;
	}
	if (chosen < TASKS_MAX)
		resume(&sim.tasks[chosen]);
	else
		sim.actors[chosen - TASKS_MAX].step(sim.actors[chosen - TASKS_MAX].arg);
	return true;
}

void sim_end(void)
{
	for (int i = 0; i < TASKS_MAX; i++)
		sim.tasks[i].used = false;
	sim.task_count = 0;
}

/* --- trace and verdict --- */

void sim_trace(const char *format, ...)
{
	char *line = sim.trace[sim.trace_count++ % TRACE_LINES];
	int used = snprintf(line, TRACE_WIDTH, "%9.3f s  %d/%-9s ", (double)sim.now / 1e6,
		sim.current ? sim.current->process->number : -1,
		sim.current ? sim.current->name : "-");
	va_list args;
	va_start(args, format);
	vsnprintf(line + used, (size_t)(TRACE_WIDTH - used), format, args);
	va_end(args);
}

void sim_broken(const char *format, ...)
{
	if (sim.verdict[0])
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(sim.verdict, sizeof(sim.verdict), format, args);
	va_end(args);
	sim_trace("BROKEN: %s", sim.verdict);
}

const char *sim_verdict(void)
{
	return sim.verdict[0] ? sim.verdict : NULL;
}

void sim_print_trace(void)
{
	int first = sim.trace_count > TRACE_LINES ? sim.trace_count - TRACE_LINES : 0;
	for (int i = first; i < sim.trace_count; i++)
		fprintf(stderr, "    %s\n", sim.trace[i % TRACE_LINES]);
}

/* --- what the worker's code calls in place of the C library --- */

int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
	void *arg);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
	const struct timespec *time);
int __wrap_pthread_cond_signal(pthread_cond_t *cond);
int __wrap_pthread_cond_broadcast(pthread_cond_t *cond);
int __wrap_rand_r(unsigned *seed);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	int64_t us = sim.now + (clock == CLOCK_REALTIME ? EPOCH_US : 0);
	*time = (struct timespec){ .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
	return 0;
}

/* The new thread belongs to the simulated process at hand. */
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
	void *arg)
{
	(void)attributes;
	memset(thread, 0, sizeof(*thread));
	sim_task(sim_process(), "executor", run, arg);
	return 0;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	sim_yield();
	while (pthread_mutex_trylock(mutex) == EBUSY)
		task_leave(sim.current);
	return 0;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
	const struct timespec *time)
{
	struct task *task = sim.current;
	task->cond = cond;
	task->signalled = false;
	pthread_mutex_unlock(mutex);
	bool ready = sim_wait(NULL, NULL, time->tv_sec * 1000000 + time->tv_nsec / 1000);
	task->cond = NULL;
	while (pthread_mutex_trylock(mutex) == EBUSY)
		task_leave(task);
	return ready ? 0 : ETIMEDOUT;
}

static int wake(const pthread_cond_t *cond, bool all)
{
	for (int i = 0; i < sim.task_count; i++) {
		struct task *task = &sim.tasks[i];
		if (!task->used || task->cond != cond || task->signalled)
			continue;
		task->signalled = true;
		if (!all)
			break;
	}
	return 0;
}

int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
	return wake(cond, false);
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *cond)
{
	return wake(cond, true);
}

int __wrap_rand_r(unsigned *seed)
{
	(void)seed;
	return sim_below(1 << 20);
}
