/*
 * keys.h - the table of configuration keys
 *
 * One row per key: path, type, range, default and help. The file, the environment
 * (STOWAGE_ and the path in capitals), the checks and the printed reference all use this table.
 */
#ifndef WORKER_CONFIG_KEYS_H
#define WORKER_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/config/check.h"
#include "worker/config/config.h"

#define CONFIG_NAME_MAX 128 /* bytes of a path or variable name with its NUL */

enum config_kind {
	CONFIG_TEXT,        /* char *; NULL while not set */
	CONFIG_INTEGER,     /* int64_t */
	CONFIG_SWITCH,      /* bool */
	CONFIG_CHOICE,      /* char *, one of `choices` */
	CONFIG_ENUM,        /* an enum: index into `choices` */
	CONFIG_TEXTS,       /* struct config_list */
	CONFIG_INDEXES,     /* postgres.indexes */
	CONFIG_SECRET_FILE, /* name of a file that holds the value of the key `target` */
	CONFIG_TEXTS_FILE,  /* name of a file whose lines precede the items of the list `target` */
};

struct config_key {
	const char *path;
	enum config_kind kind;
	bool secret;
	size_t offset;        /* of the member in struct config */
	int64_t min, max;     /* of an integer; min also limits a text's bytes and a list's items */
	const char *fallback; /* default, written as an environment variable; NULL: not set */
	const char *const *choices; /* ends in NULL; "yes=always" makes yes an alias of always */
	config_check_fn *check;     /* checks a text, or each item of a list; may be NULL */
	const char *target;         /* path of another key, see CONFIG_SECRET_FILE */
	const char
		*group; /* the value that a group with the keys below this path stands for; NULL: no
	                      group */
	const char *help;
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

#define CONFIG_KEYS_MAX 96 /* at least config_key_count */

/* The row of the key with this path, NULL if there is none. */
const struct config_key *config_key_find(const char *path);
/* "postgres.connectionString" -> "STOWAGE_POSTGRES_CONNECTION_STRING" */
void config_key_variable(const char *path, char variable[CONFIG_NAME_MAX]);
/* Where `config` stores the key's value. */
void *config_member(struct config *config, const struct config_key *key);
const void *config_member_const(const struct config *config, const struct config_key *key);

#endif
