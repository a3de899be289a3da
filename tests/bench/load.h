/*
 * load.h - the commands that the load client sends, and the check of their replies
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Items of one datasets.batchInsertItems. */
#define LOAD_ITEMS_A_COMMAND 100

struct load;

/* A command and its destination. */
struct command {
	char key[40];
	uint64_t place;    /* modulo the number of partitions: its partition */
	const void *value; /* valid until the next command is created */
	size_t size;
	char schema[64]; /* of its tenant; empty: the worker's own */
};

/* Kinds and options: see client.c. */
struct load *load_open(int argc, char **argv);
void load_close(struct load *load);

/* The number of distinct commands. For `ask`, command i is number i modulo this number. */
unsigned load_distinct(const struct load *load);
void load_command(struct load *load, uint64_t i, struct command *out);

/* Does a reply to the command, or an echo of the command, hold the expected content? */
bool load_answers(const struct load *load, const struct command *command, const void *reply,
	size_t size, bool echo);
/* The ids of the vectors in a reply, in its order: up to WORKLOAD_VECTORS_TOP_K. */
size_t load_found(const void *reply, size_t size, const char *ids[]);

#endif
