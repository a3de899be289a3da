/*
 * statement_cache.h - which statements a connection has prepared, the least used dropped first
 *
 * Keyed by the unrendered text and the schema, so that a hit renders nothing.
 * One thread at a time; belongs to one connection.
 */
#ifndef DB_CONNECTION_STATEMENT_CACHE_H
#define DB_CONNECTION_STATEMENT_CACHE_H

#include <stdbool.h>
#include <stddef.h>

struct statement_cache;

struct statement_cache *statement_cache_new(size_t capacity);
void statement_cache_free(struct statement_cache *cache);
void statement_cache_clear(struct statement_cache *cache);

struct statement_slot {
	const char *name;    /* the prepared statement's name on the server */
	const char *dropped; /* name to DEALLOCATE first, NULL if none; valid until the next call */
	bool fresh;          /* not prepared yet: prepare it under that name */
};

/* The slot for this statement; a fresh one may push out the least recently used. */
struct statement_slot statement_cache_get(struct statement_cache *cache, const char *sql,
	const char *schema);

/* The server does not have it after all (its Parse failed or was skipped). */
void statement_cache_forget(struct statement_cache *cache, const char *name);

#endif
