/* group.c - assigns partitions to workers, takes them away, kills and replaces workers */
#include "tests/model/group.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/database.h"
#include "tests/model/model.h"
#include "tests/model/worker.h"

#define REPLACED_MS 3000
#define FREEZE_MS 20000
#define NOBODY (-1)

static struct {
	int count, executors, started;
	struct {
		struct worker *worker; /* NULL: dead */
		int64_t replaced_at;
	} slots[WORKERS_MAX];
	struct {
		int owner;      /* slot */
		int next;       /* slot that gets it once its owner has given it up */
		int64_t due_at; /* nobody has it: assigned then */
	} partitions[PARTITIONS_MAX];
} group;

/* --- assigning --- */

static void assign(int partition, int slot)
{
	group.partitions[partition].owner = slot;
	group.partitions[partition].next = NOBODY;
	worker_hear(group.slots[slot].worker, GROUP_ASSIGN, partition);
}

static int living_slot(void)
{
	int able[WORKERS_MAX], count = 0;
	for (int i = 0; i < group.count; i++)
		if (group.slots[i].worker &&
			worker_process(group.slots[i].worker)->frozen_until <= sim_now())
			able[count++] = i;
	return count ? able[sim_below(count)] : NOBODY;
}

static void leave_ownerless(int partition, int64_t after_ms)
{
	group.partitions[partition].owner = NOBODY;
	group.partitions[partition].next = NOBODY;
	group.partitions[partition].due_at = sim_now() + after_ms * MS;
}

void group_given_up(const struct worker *worker, int partition)
{
	int owner = group.partitions[partition].owner;
	if (owner == NOBODY || group.slots[owner].worker != worker ||
		group.partitions[partition].next == NOBODY)
		return;
	leave_ownerless(partition, 0);
}

/* The session of a member expires: others get its partitions, and it hears of that when it can. */
static void expire(int slot, bool alive)
{
	for (int p = 0; p < model.partitions; p++) {
		if (group.partitions[p].owner != slot)
			continue;
		if (alive)
			worker_hear(group.slots[slot].worker, GROUP_LOST, p);
		leave_ownerless(p, sim_below(500));
	}
}

static void assign_ownerless(void)
{
	for (int p = 0; p < model.partitions; p++) {
		int slot = living_slot();
		if (group.partitions[p].owner == NOBODY && slot != NOBODY &&
			group.partitions[p].due_at <= sim_now())
			assign(p, slot);
	}
}

/* --- faults --- */

static void crash(int slot)
{
	struct worker *worker = group.slots[slot].worker;
	group.slots[slot].worker = NULL;
	group.slots[slot].replaced_at = sim_now() + sim_below(REPLACED_MS) * MS;
	worker_kill(worker);
	expire(slot, false);
}

static void freeze(int slot)
{
	struct process *process = worker_process(group.slots[slot].worker);
	process->frozen_until = sim_now() + sim_below(FREEZE_MS) * MS;
	sim_trace("worker %d freezes", process->number);
	if (sim_one_in(2))
		expire(slot, true);
}

static void move(int partition, bool in_order)
{
	int owner = group.partitions[partition].owner;
	if (owner == NOBODY || group.partitions[partition].next != NOBODY)
		return;
	if (in_order) {
		group.partitions[partition].next = owner;
		worker_hear(group.slots[owner].worker, GROUP_REVOKE, partition);
	} else {
		worker_hear(group.slots[owner].worker, GROUP_LOST, partition);
		leave_ownerless(partition, 0);
	}
}

void group_strike(enum single_fault fault)
{
	int slot = living_slot(), partition = sim_below(model.partitions);
	model.strikes++;
	switch (fault) {
	case SINGLE_CRASH:
		if (slot != NOBODY)
			crash(slot);
		break;
	case SINGLE_FREEZE:
		if (slot != NOBODY)
			freeze(slot);
		break;
	case SINGLE_MOVE:
	case SINGLE_TAKE:
		move(partition, fault == SINGLE_MOVE);
		break;
	case SINGLE_RESTART:
		database_restart();
		break;
	default:
		break;
	}
}

/* --- turns --- */

static void replace_dead(void)
{
	for (int i = 0; i < group.count; i++)
		if (!group.slots[i].worker && group.slots[i].replaced_at <= sim_now())
			group.slots[i].worker = worker_start(group.started++, group.executors);
}

void group_turn(void)
{
	static const struct {
		size_t rate;
		enum single_fault fault;
	} kinds[] = {
		{ offsetof(struct faults, crash), SINGLE_CRASH },
		{ offsetof(struct faults, freeze), SINGLE_FREEZE },
		{ offsetof(struct faults, rebalance), SINGLE_MOVE },
		{ offsetof(struct faults, rebalance), SINGLE_TAKE },
		{ offsetof(struct faults, restart), SINGLE_RESTART },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		int rate;
		memcpy(&rate, (const char *)&model.faults + kinds[i].rate, sizeof(rate));
		if (sim_one_in(rate))
			group_strike(kinds[i].fault);
	}
	replace_dead();
	assign_ownerless();
	int p = sim_below(model.partitions);
	if (model.visible[p] < model.offsets && sim_one_in(20))
		model.visible[p] += 1 + sim_below(model.offsets - model.visible[p]);
}

void group_heal(void)
{
	memset(&model.faults, 0, sizeof(model.faults));
	for (int p = 0; p < model.partitions; p++)
		model.visible[p] = model.offsets;
	for (int i = 0; i < group.count; i++)
		if (group.slots[i].worker)
			worker_process(group.slots[i].worker)->frozen_until = 0;
}

void group_start(int workers, int executors)
{
	memset(&group, 0, sizeof(group));
	group.count = workers;
	group.executors = executors;
	for (int p = 0; p < model.partitions; p++)
		leave_ownerless(p, 0);
	replace_dead();
	assign_ownerless();
}
