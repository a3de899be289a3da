/*
 * command_table.h - every command that Stowage serves, by index and by name
 *
 * The table is generated from the declarations (handlers/generate). Constant: any thread may read it.
 */
#ifndef HANDLERS_DOMAINS_COMMAND_TABLE_H
#define HANDLERS_DOMAINS_COMMAND_TABLE_H

#include <stddef.h>

#include "handlers/core/command.h"

/* In strcmp order of the names. */
extern const struct command_def command_defs[];
extern const size_t command_count;
/* The names alone, in the same order. */
extern const char *const command_names[];
/* The domains that have commands, each once. */
extern const char *const command_domains[];
extern const size_t command_domain_count;

/* Returns the index of the command with this name (`len` bytes), or -1. */
int command_find(const char *name, size_t len);

/* Returns the command's name that is most similar to an unknown one; NULL: none is similar. */
const char *command_nearest(const char *name);

#endif
