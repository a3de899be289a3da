/*
 * sim.h - the simulation's clock, tasks, chance and trace
 *
 * A task stands for a thread of a worker: threads that the worker's code starts become tasks, and its
 * locks, waits and clock come here (the linker's --wrap). One task runs at a time, on a virtual clock.
 * Where a thread could lose the processor, chance chooses who goes on. So a seed decides everything.
 */
#ifndef TESTS_MODEL_SIM_H
#define TESTS_MODEL_SIM_H

#include <stdbool.h>
#include <stdint.h>

#define MS 1000 /* the clock counts microseconds */

/* --- chance --- */

void sim_seed(uint64_t seed);
/* A number below `bound`. */
int sim_below(int bound);
/* True in one of `n` cases; never if n is 0. */
bool sim_one_in(int n);

/* --- clock --- */

int64_t sim_now(void); /* microseconds */

/* --- tasks --- */

/* A worker process: its tasks run while it is alive and not frozen. */
struct process {
	int number;
	bool alive;
	int64_t frozen_until;
};

void sim_task(struct process *process, const char *name, void *(*run)(void *), void *arg);
/* Others may run now. */
void sim_yield(void);
/* Waits until `ready` or the time. Returns false at the time. */
bool sim_wait(bool (*ready)(void *arg), void *arg, int64_t until);
void sim_sleep(int64_t us);
/* The process of the running task; NULL outside of tasks. */
struct process *sim_process(void);
/* All tasks of the process vanish, as at SIGKILL. */
void sim_kill(struct process *process);

/* What happens outside of the workers, such as a database session at work. `ready` says whether it has
 * something to do; *later becomes the time when it has, if that is earlier. */
struct actor {
	bool (*ready)(void *arg, int64_t *later);
	void (*step)(void *arg);
	void *arg;
};
void sim_actor(const struct actor *actor);

/* Starts a schedule. Of `switches` places where a thread can lose the processor, one is a switch. */
void sim_start(uint64_t seed, int switches);
/* Lets one task or actor, chosen by chance, go on. False: nothing will ever happen again. */
bool sim_step(void);
int64_t sim_steps(void);
/* Ends all tasks. */
void sim_end(void);

/* --- trace and verdict --- */

void sim_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A promise is broken. The first one counts. */
void sim_broken(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *sim_verdict(void); /* NULL: all promises hold */
/* Prints the last lines of the trace. */
void sim_print_trace(void);

#endif
