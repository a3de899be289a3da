/*
 * model.h - the commands of a schedule, and what must come of each
 *
 * Few partitions with few messages. Each message is one command of a kind below. Offsets may be missing,
 * as in a compacted topic.
 */
#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define PARTITIONS_MAX 3
#define OFFSETS_MAX 16

enum kind {
	KIND_GAP,    /* no message has this offset */
	KIND_WRITE,  /* a write */
	KIND_POISON, /* a write that PostgreSQL rejects each time */
	KIND_READ,
	KIND_DETACHED, /* a read that leaves its lane */
	KIND_BAD,      /* it cannot be decoded */
	KIND_COUNT,
};

struct command {
	enum kind kind;
	bool asks; /* it has a reply topic */
};

/* One message, by its place. */
struct place {
	int partition;
	int offset;
};

struct model {
	int partitions;
	int offsets;                 /* of each partition */
	int visible[PARTITIONS_MAX]; /* of these, sent by the clients so far */
	struct command commands[PARTITIONS_MAX][OFFSETS_MAX];
	/* What has come of them. */
	int effects[PARTITIONS_MAX];              /* writes whose effect is committed */
	int replies[PARTITIONS_MAX][OFFSETS_MAX]; /* in Kafka */
	int letters[PARTITIONS_MAX][OFFSETS_MAX]; /* dead letters in Kafka */
	/* A fault strikes in one case of this number; 0: never. */
	struct faults {
		int crash, freeze, rebalance, cut, statement, producer, undelivered, misfetch,
			connect, topics, restart;
		bool suspect; /* each claim finds a suspect lane */
	} faults;
	int64_t strikes;    /* faults so far */
	const char *broken; /* a mechanism that is left out: "fence"; NULL: none */
};

extern struct model model;

const struct command *command_at(int partition, int64_t offset);
/* Number of writes with an effect before this offset. */
int writes_before(int partition, int64_t offset);
/* Is the command's reply, and its dead letter, in Kafka, as far as it is due? */
bool is_answered(int partition, int64_t offset);
/* A fault strikes now in one of `n` cases. */
bool strikes(int n);

#endif
