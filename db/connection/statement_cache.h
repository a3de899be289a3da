/*
 * statement_cache.h - which statements a connection has prepared, as a bounded LRU
 *
 * The key is the text before the schema is filled in, and the schema, so that a hit builds no text. One
 * cache belongs to one connection. One thread at a time.
 *
 * The worker's own statements are few. Composed statements follow clients' filters, and the server keeps
 * some sixty times the text of each. So the cache takes only a composed statement that comes a second
 * time, and bounds the bytes of all of them.
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
	const char *name;    /* the prepared statement's name on the server, or NULL */
	const char *dropped; /* a name to DEALLOCATE first, or NULL; valid until the next call */
	bool fresh;          /* not prepared yet: the caller prepares it under `name` */
};

/* Finds or adds the statement. Adding one to a full cache drops the least recently used. */
struct statement_slot statement_cache_get(struct statement_cache *cache, const char *sql,
	const char *schema);

/* The same for a composed statement. A slot without a name: send the statement without preparing it. */
struct statement_slot statement_cache_get_composed(struct statement_cache *cache, const char *sql,
	const char *schema);

/* Removes a statement that the server did not prepare (it failed or the server skipped it). */
void statement_cache_forget(struct statement_cache *cache, const char *name);

#endif
