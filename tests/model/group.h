/*
 * group.h - the consumer group: workers come, go, freeze, and partitions move between them
 */
#ifndef TESTS_MODEL_GROUP_H
#define TESTS_MODEL_GROUP_H

#include <stdbool.h>

#define WORKERS_MAX 3

void group_start(int workers, int executors);
/* One turn: perhaps a fault, perhaps a rebalance, perhaps more messages. */
void group_turn(void);
/* From now on nothing fails; what is frozen thaws, what died is replaced. */
void group_heal(void);
bool group_is_whole(void);

/* Single faults, for systematic schedules. */
enum single_fault {
	SINGLE_NONE,
	SINGLE_CRASH,
	SINGLE_FREEZE,
	SINGLE_MOVE,    /* a partition moves, its owner gives it up in order */
	SINGLE_TAKE,    /* a partition moves, its owner hears of it later */
	SINGLE_RESTART, /* all sessions of the database end */
	SINGLE_COUNT,
};
void group_strike(enum single_fault fault);

#endif
