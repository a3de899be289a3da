/*
 * load.h - the commands that the load client sends, and what their replies have to hold
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load;

/* A command, and where it goes. */
struct command {
	char key[40];
	uint64_t place;    /* its partition, modulo their number */
	const void *value; /* lies there until the next one is made */
	size_t size;
};

/* Kinds and options: see client.c. */
struct load *load_open(int argc, char **argv);
void load_close(struct load *load);

/* How many commands there are that differ; command i is number i modulo them if they are asked. */
unsigned load_distinct(const struct load *load);
void load_command(struct load *load, uint64_t i, struct command *out);

/* Does a reply to the command, or an echo of it, hold what was asked for? */
bool load_answers(const struct load *load, const struct command *command, const void *reply,
	size_t size, bool echo);
/* The ids of the vectors in a reply, in its order: WORKLOAD_VECTORS_TOP_K at most. */
size_t load_found(const void *reply, size_t size, const char *ids[]);

#endif
