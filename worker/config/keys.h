/*
 * keys.h - the table of configuration keys, and what only config_*.c need to know
 */
#ifndef WORKER_CONFIG_KEYS_H
#define WORKER_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "worker/config/config.h"

#define CONFIG_NAME_MAX 128 /* bytes of a path or variable name with its NUL */
#define CONFIG_WHY_MAX 400  /* bytes of a checker's reason with its NUL */

enum config_kind {
	CONFIG_TEXT,        /* char *; NULL while not set */
	CONFIG_INTEGER,     /* int64_t */
	CONFIG_SWITCH,      /* bool */
	CONFIG_CHOICE,      /* char *, one of `choices` */
	CONFIG_ENUM,        /* an enum: index into `choices` */
	CONFIG_TEXTS,       /* struct config_list */
	CONFIG_INDEXES,     /* postgres.indexes */
	CONFIG_SECRET_FILE, /* names a file that holds the value of the key `target` */
	CONFIG_TEXTS_FILE, /* names a file whose lines come before the items of the list `target` */
};

/* Says in `why` what is wrong with a text ("is not ..."), without repeating a secret. */
typedef bool config_check_fn(const char *text, char *why, size_t why_size);

struct config_key {
	const char *path;
	enum config_kind kind;
	bool secret;
	size_t offset;        /* of the member in struct config */
	int64_t min, max;     /* of an integer; min also: fewest bytes of a text, items of a list */
	const char *fallback; /* default, as the environment would give it; NULL: not set */
	const char *const *choices; /* ends in NULL; "yes=always" is another word for always */
	config_check_fn *check;     /* of a text, or of each item of a list */
	const char *target;
	const char *help;
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

enum config_source { CONFIG_FROM_DEFAULT, CONFIG_FROM_FILE, CONFIG_FROM_ENVIRONMENT };

struct config_origin {
	enum config_source source;
	char *where; /* "/etc/stowage/stowage.conf:3", "environment STOWAGE_..."; NULL: default */
};

#define CONFIG_KEYS_MAX 64

/* What config_load really makes: the origins stand behind the part that everyone sees. */
struct config_full {
	struct config config;
	struct config_origin origins[CONFIG_KEYS_MAX];
};

/* State of one load. Mistakes are written as they are found; the load goes on. */
struct config_load {
	struct config_full *full;
	FILE *errors;
	size_t mistakes;
	enum config_source source;
	struct config_list lines; /* of kafka.propertiesFile, until config_join_lines */
};

/* The row of that path, NULL if there is none. */
const struct config_key *config_key_find(const char *path);
/* "postgres.connectionString" -> "STOWAGE_POSTGRES_CONNECTION_STRING" */
void config_key_variable(const char *path, char variable[CONFIG_NAME_MAX]);
/* The member of a key. */
void *config_member(struct config *config, const struct config_key *key);
const void *config_member_const(const struct config *config, const struct config_key *key);

void config_mistake(struct config_load *load, const char *where, const char *path,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Each checks the value, and stores it with its origin or writes the mistake. */
void config_set_text(struct config_load *load, const struct config_key *key, const char *where,
	const char *text);
void config_set_integer(struct config_load *load, const struct config_key *key, const char *where,
	int64_t value);
void config_set_switch(struct config_load *load, const struct config_key *key, const char *where,
	bool value);
/* Takes the list's memory in any case. */
void config_set_texts(struct config_load *load, const struct config_key *key, const char *where,
	struct config_list list);
/* Takes the memory in any case. */
void config_set_indexes(struct config_load *load, const struct config_key *key, const char *where,
	struct config_index *indexes, size_t count);
/* A value of any kind written as one text: defaults and the environment. */
void config_set_from_text(struct config_load *load, const struct config_key *key, const char *where,
	const char *text);
/* Puts the lines of the file that kafka.propertiesFile names before kafka.properties. */
void config_join_lines(struct config_load *load);
/* postgres.indexes in libconfig's own notation. */
void config_set_indexes_from_text(struct config_load *load, const struct config_key *key,
	const char *where, const char *text);

void config_list_add(struct config_list *list, char *item); /* takes the item */
void config_list_clear(struct config_list *list);
void config_indexes_clear(struct config_index *indexes, size_t count);

void config_read_path(struct config_load *load, const char *path);
void config_read_environment(struct config_load *load);
/* What more than one key must agree on. */
void config_check_whole(struct config_load *load);

config_check_fn config_check_conninfo, config_check_schema, config_check_regex, config_check_topic,
	config_check_servers, config_check_property, config_check_address;

/* Is the value of this librdkafka property a secret? */
bool config_property_is_secret(const char *name, size_t len);

#endif
