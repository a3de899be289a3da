/*
 * statement_cache.h - which statements a connection has prepared, as a bounded LRU
 *
 * The key is the text before the schema is filled in, and the schema, so that a hit builds no text. One
 * cache belongs to one connection. One thread at a time.
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
	const char *dropped; /* a name to DEALLOCATE first, or NULL; valid until the next call */
	bool fresh;          /* not prepared yet: the caller prepares it under `name` */
};

/* Finds or adds the statement. Adding one to a full cache drops the least recently used. */
struct statement_slot statement_cache_get(struct statement_cache *cache, const char *sql,
	const char *schema);

/* Removes a statement that the server did not prepare (it failed or the server skipped it). */
void statement_cache_forget(struct statement_cache *cache, const char *name);

#endif
