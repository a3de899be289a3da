/* statement_cache.c - a hash table whose entries are linked by last use */
#include "db/connection/statement_cache.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/connection/statement.h"

/* Bytes of text of all composed statements that one connection keeps prepared, and of the longest one. */
#define COMPOSED_BYTES (128 * 1024)
#define COMPOSED_LONGEST (16 * 1024)
/* Composed statements that the cache remembers as seen once; a power of two. */
#define SEEN_MAX 256

struct entry {
	uint64_t hash;
	char *sql;
	char *schema;
	char name[STATEMENT_NAME_MAX];
	size_t composed; /* bytes of the text of a composed statement; 0: one of the worker's own */
	struct entry *chain;         /* same bucket */
	struct entry *newer, *older; /* by last use */
};

struct statement_cache {
	struct entry **buckets; /* a power of two, at least twice the capacity */
	size_t bucket_count;
	size_t count, capacity;
	size_t composed;         /* the sum over the entries */
	uint64_t seen[SEEN_MAX]; /* hashes of composed statements, by their low bits */
	struct entry *newest, *oldest;
	char dropped[STATEMENT_NAME_MAX];
};

static void *statement_cache_checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct statement_cache *statement_cache_new(size_t capacity)
{
	struct statement_cache *cache = statement_cache_checked(calloc(1, sizeof(*cache)));
	cache->capacity = capacity;
	cache->bucket_count = 16;
	while (cache->bucket_count < capacity * 2)
		cache->bucket_count *= 2;
	cache->buckets = statement_cache_checked(calloc(cache->bucket_count,
		sizeof(*cache->buckets)));
	return cache;
}

static void entry_free(struct entry *entry)
{
	free(entry->sql);
	free(entry->schema);
	free(entry);
}

void statement_cache_clear(struct statement_cache *cache)
{
	for (struct entry *entry = cache->newest, *next; entry; entry = next) {
		next = entry->older;
		entry_free(entry);
	}
	memset(cache->buckets, 0, cache->bucket_count * sizeof(*cache->buckets));
	cache->newest = cache->oldest = NULL;
	cache->count = cache->composed = 0;
}

void statement_cache_free(struct statement_cache *cache)
{
	if (!cache)
		return;
	statement_cache_clear(cache);
	free(cache->buckets);
	free(cache);
}

/* FNV-1a, with a separator between the two texts. */
static uint64_t statement_cache_hash(const char *sql, const char *schema)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (const unsigned char *c = (const unsigned char *)sql; *c; c++)
		hash = (hash ^ *c) * 0x100000001b3u;
	hash = (hash ^ 0xff) * 0x100000001b3u;
	for (const unsigned char *c = (const unsigned char *)schema; *c; c++)
		hash = (hash ^ *c) * 0x100000001b3u;
	return hash;
}

static void unlink_use(struct statement_cache *cache, struct entry *entry)
{
	*(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_newest(struct statement_cache *cache, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = cache->newest;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
	cache->newest = entry;
}

static void statement_cache_drop(struct statement_cache *cache, struct entry *entry)
{
	struct entry **at = &cache->buckets[entry->hash & (cache->bucket_count - 1)];
	while (*at != entry)
		at = &(*at)->chain;
	*at = entry->chain;
	unlink_use(cache, entry);
	cache->composed -= entry->composed;
	entry_free(entry);
	cache->count--;
}

void statement_cache_forget(struct statement_cache *cache, const char *name)
{
	struct entry *entry = cache->newest;
	while (entry && strcmp(entry->name, name) != 0)
		entry = entry->older;
	if (entry)
		statement_cache_drop(cache, entry);
}

static struct entry *entry_new(struct statement_cache *cache, uint64_t hash, const char *sql,
	const char *schema)
{
	struct entry *entry = statement_cache_checked(calloc(1, sizeof(*entry)));
	entry->hash = hash;
	entry->sql = statement_cache_checked(strdup(sql));
	entry->schema = statement_cache_checked(strdup(schema));
	statement_name(sql, schema, entry->name);
	struct entry **bucket = &cache->buckets[hash & (cache->bucket_count - 1)];
	entry->chain = *bucket;
	*bucket = entry;
	link_newest(cache, entry);
	cache->count++;
	return entry;
}

/* The entry of the statement, now the one used last; NULL: none. */
static struct entry *statement_cache_find(struct statement_cache *cache, uint64_t hash,
	const char *sql, const char *schema)
{
	struct entry *entry = cache->buckets[hash & (cache->bucket_count - 1)];
	while (entry &&
		(entry->hash != hash || strcmp(entry->sql, sql) != 0 ||
			strcmp(entry->schema, schema) != 0))
		entry = entry->chain;
	if (entry) {
		unlink_use(cache, entry);
		link_newest(cache, entry);
	}
	return entry;
}

/* Drops an entry for a new one. */
static const char *statement_cache_make_room(struct statement_cache *cache, struct entry *entry)
{
	snprintf(cache->dropped, sizeof(cache->dropped), "%s", entry->name);
	statement_cache_drop(cache, entry);
	return cache->dropped;
}

struct statement_slot statement_cache_get(struct statement_cache *cache, const char *sql,
	const char *schema)
{
	schema = schema ? schema : "";
	uint64_t hash = statement_cache_hash(sql, schema);
	struct entry *entry = statement_cache_find(cache, hash, sql, schema);
	if (entry)
		return (struct statement_slot){ .name = entry->name };
	struct statement_slot slot = { .fresh = true };
	if (cache->count >= cache->capacity)
		slot.dropped = statement_cache_make_room(cache, cache->oldest);
	slot.name = entry_new(cache, hash, sql, schema)->name;
	return slot;
}

/* Has the statement been seen before, as far as the cache remembers? */
static bool statement_cache_seen(struct statement_cache *cache, uint64_t hash)
{
	uint64_t *place = &cache->seen[hash & (SEEN_MAX - 1)];
	bool seen = *place == hash;
	*place = hash;
	return seen;
}

/* Drops at most one statement for the new one of `size` bytes: the composed one that was used least
 * recently, if composed ones fill their share. *dropped: its name. False: there is still no room. */
static bool statement_cache_fits(struct statement_cache *cache, size_t size, const char **dropped)
{
	struct entry *entry = cache->oldest;
	bool full = cache->composed + size > COMPOSED_BYTES;
	while (full && !entry->composed)
		entry = entry->newer;
	if (full || cache->count >= cache->capacity)
		*dropped = statement_cache_make_room(cache, entry);
	return cache->composed + size <= COMPOSED_BYTES;
}

struct statement_slot statement_cache_get_composed(struct statement_cache *cache, const char *sql,
	const char *schema)
{
	schema = schema ? schema : "";
	uint64_t hash = statement_cache_hash(sql, schema);
	struct entry *entry = statement_cache_find(cache, hash, sql, schema);
	struct statement_slot slot = { 0 };
	size_t size = strlen(sql);
	if (entry)
		slot.name = entry->name;
	if (entry || !statement_cache_seen(cache, hash) || size > COMPOSED_LONGEST ||
		!statement_cache_fits(cache, size, &slot.dropped))
		return slot;
	entry = entry_new(cache, hash, sql, schema);
	entry->composed = size;
	cache->composed += size;
	slot.name = entry->name;
	slot.fresh = true;
	return slot;
}
