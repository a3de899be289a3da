/*
 * retention.h - the tables whose old rows can go: the declaration that commands, schedule and
 * configuration share
 *
 * A row is too old if its anchor, a time, lies further back than a given age. Rows without an anchor stay.
 *
 * Constant; any thread.
 */
#ifndef DB_RETENTION_RETENTION_H
#define DB_RETENTION_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which a prune of several tables takes them. */
enum retention_id {
	RETENTION_MESSAGES,
	RETENTION_RESOURCES,
	RETENTION_THREADS,
	RETENTION_THREAD_STATE,
	RETENTION_WORKFLOW_SNAPSHOT,
	RETENTION_SPANS,
	RETENTION_SCORERS,
	RETENTION_EXPERIMENTS,
	RETENTION_BACKGROUND_TASKS,
	RETENTION_NOTIFICATIONS,
	RETENTION_TRIGGERS,
	RETENTION_COUNT
};

enum retention_anchor {
	ANCHOR_TIMESTAMPTZ,
	ANCHOR_TIMESTAMP, /* in UTC */
	ANCHOR_EPOCH_MS,
};

struct retention_table {
	const char *domain, *key; /* names of the policy: memory, messages */
	const char *table;
	const char *anchor; /* column */
	enum retention_anchor kind;
	/* Rows of another table that go with a row, in one transaction: those whose part_key is the row's id.
	 * NULL: none. */
	const char *part, *part_key;
	bool vectors; /* afterwards vectors go whose message is gone */
};

extern const struct retention_table retention_tables[RETENTION_COUNT];

/* NULL: there is no such table. The texts need no NUL. */
const struct retention_table *retention_find(const char *domain, const char *key, size_t key_size);
/* Has the domain such tables? */
bool retention_has(const char *domain, size_t size);

/* Reads an age: a number with one of the units ms, s, m, h, d, w, or without one in milliseconds. False: it
 * is none. Ages beyond a million years count as that. */
bool retention_age(const char *text, size_t size, int64_t *ms) __attribute__((warn_unused_result));

#endif
