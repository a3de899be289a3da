/*
 * statement_cache.h - which statements a connection has prepared, as a bounded LRU
 *
 * The key is the text before the schema is filled in, and the schema, so that a hit builds no text. One
 * cache belongs to one connection. One thread at a time.
 *
 * The worker's own statements are few, and are prepared at once. Composed statements follow clients'
 * filters, and tenants have each statement once a schema; the server keeps some sixty times the text of
 * each. So the cache takes one of these only when it comes a second time, and bounds the bytes of each
 * share.
 */
#ifndef DB_CONNECTION_STATEMENT_CACHE_H
#define DB_CONNECTION_STATEMENT_CACHE_H

#include <stdbool.h>
#include <stddef.h>

struct statement_cache;

/* Statements that share a bound. */
enum statement_share {
	SHARE_OWN,      /* the worker's, on its own schema */
	SHARE_COMPOSED, /* composed ones on it */
	SHARE_TENANTS,  /* all of other schemas */
	SHARE_COUNT
};

/* `capacity`: of own and composed statements. `tenant_bytes`: of the text of the tenants'. */
struct statement_cache *statement_cache_new(size_t capacity, size_t tenant_bytes);
void statement_cache_free(struct statement_cache *cache);
void statement_cache_clear(struct statement_cache *cache);

struct statement_slot {
	const char *name;    /* the prepared statement's name on the server, or NULL */
	const char *dropped; /* a name to DEALLOCATE first, or NULL; valid until the next call */
	bool fresh;          /* not prepared yet: the caller prepares it under `name` */
};

/* Finds or adds the statement; it may drop the least recently used one of its share. A slot without a name:
 * send the statement without preparing it. */
struct statement_slot statement_cache_get(struct statement_cache *cache, enum statement_share share,
	const char *sql, const char *schema);

/* Removes a statement that the server did not prepare (it failed or the server skipped it). */
void statement_cache_forget(struct statement_cache *cache, const char *name);

#endif
