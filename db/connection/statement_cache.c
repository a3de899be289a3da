/* statement_cache.c - a hash table whose entries are linked by last use */
#include "db/connection/statement_cache.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t hash;
	char *sql;
	char *schema;
	char name[24];
	struct entry *chain;         /* same bucket */
	struct entry *newer, *older; /* by last use */
};

struct statement_cache {
	struct entry **buckets; /* a power of two, at least twice the capacity */
	size_t bucket_count;
	size_t count, capacity;
	struct entry *newest, *oldest;
	uint64_t next_name;
	char dropped[24];
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
	cache->count = 0;
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
	snprintf(entry->name, sizeof(entry->name), "s%llu", (unsigned long long)cache->next_name++);
	struct entry **bucket = &cache->buckets[hash & (cache->bucket_count - 1)];
	entry->chain = *bucket;
	*bucket = entry;
	link_newest(cache, entry);
	cache->count++;
	return entry;
}

struct statement_slot statement_cache_get(struct statement_cache *cache, const char *sql,
	const char *schema)
{
	schema = schema ? schema : "";
	uint64_t hash = statement_cache_hash(sql, schema);
	struct entry *entry = cache->buckets[hash & (cache->bucket_count - 1)];
	while (entry &&
		(entry->hash != hash || strcmp(entry->sql, sql) != 0 ||
			strcmp(entry->schema, schema) != 0))
		entry = entry->chain;
	if (entry) {
		unlink_use(cache, entry);
		link_newest(cache, entry);
		return (struct statement_slot){ .name = entry->name };
	}
	struct statement_slot slot = { .fresh = true };
	if (cache->count >= cache->capacity) {
		snprintf(cache->dropped, sizeof(cache->dropped), "%s", cache->oldest->name);
		statement_cache_drop(cache, cache->oldest);
		slot.dropped = cache->dropped;
	}
	slot.name = entry_new(cache, hash, sql, schema)->name;
	return slot;
}
