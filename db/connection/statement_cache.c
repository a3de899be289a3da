/* statement_cache.c - a hash table whose entries are linked by last use, in a list for each share */
#include "db/connection/statement_cache.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/connection/statement.h"

/* Bytes of text of all composed statements that one connection keeps prepared, and of the longest one. */
#define COMPOSED_BYTES (128 * 1024)
#define COMPOSED_LONGEST (16 * 1024)
/* Statements that the cache remembers as seen once; a power of two. */
#define SEEN_MAX 4096
/* The table of the tenants' statements expects texts of this size. */
#define TENANT_TEXT 512

struct entry {
	uint64_t hash;
	char *sql;
	char *schema;
	char name[STATEMENT_NAME_MAX];
	enum statement_share share;
	size_t bytes;                /* of the text */
	struct entry *chain;         /* same bucket */
	struct entry *newer, *older; /* of the same share, by last use */
};

struct use_list {
	struct entry *newest, *oldest;
	size_t count, bytes;
	size_t most; /* bytes */
};

struct statement_cache {
	struct entry **buckets; /* a power of two, at least twice the entries that it expects */
	size_t bucket_count;
	size_t capacity; /* of own and composed statements together */
	struct use_list lists[SHARE_COUNT];
	uint64_t seen[SEEN_MAX]; /* hashes of bounded statements, by their low bits */
	char dropped[STATEMENT_NAME_MAX];
};

static void *statement_cache_checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct statement_cache *statement_cache_new(size_t capacity, size_t tenant_bytes)
{
	size_t expected = capacity + tenant_bytes / TENANT_TEXT;
	struct statement_cache *cache = statement_cache_checked(calloc(1, sizeof(*cache)));
	cache->capacity = capacity;
	cache->lists[SHARE_COMPOSED].most = COMPOSED_BYTES;
	cache->lists[SHARE_TENANTS].most = tenant_bytes;
	cache->bucket_count = 16;
	while (cache->bucket_count < expected * 2)
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
	for (size_t i = 0; i < SHARE_COUNT; i++) {
		for (struct entry *entry = cache->lists[i].newest, *next; entry; entry = next) {
			next = entry->older;
			entry_free(entry);
		}
		cache->lists[i] = (struct use_list){ .most = cache->lists[i].most };
	}
	memset(cache->buckets, 0, cache->bucket_count * sizeof(*cache->buckets));
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
	struct use_list *list = &cache->lists[entry->share];
	*(entry->newer ? &entry->newer->older : &list->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &list->oldest) = entry->newer;
}

static void link_newest(struct statement_cache *cache, struct entry *entry)
{
	struct use_list *list = &cache->lists[entry->share];
	entry->newer = NULL;
	entry->older = list->newest;
	*(list->newest ? &list->newest->newer : &list->oldest) = entry;
	list->newest = entry;
}

static void statement_cache_drop(struct statement_cache *cache, struct entry *entry)
{
	struct entry **at = &cache->buckets[entry->hash & (cache->bucket_count - 1)];
	while (*at != entry)
		at = &(*at)->chain;
	*at = entry->chain;
	unlink_use(cache, entry);
	cache->lists[entry->share].bytes -= entry->bytes;
	cache->lists[entry->share].count--;
	entry_free(entry);
}

void statement_cache_forget(struct statement_cache *cache, const char *name)
{
	for (size_t i = 0; i < SHARE_COUNT; i++) {
		struct entry *entry = cache->lists[i].newest;
		while (entry && strcmp(entry->name, name) != 0)
			entry = entry->older;
		if (!entry)
			continue;
		statement_cache_drop(cache, entry);
		return;
	}
}

static struct entry *entry_new(struct statement_cache *cache, enum statement_share share,
	uint64_t hash, const char *sql, const char *schema)
{
	struct entry *entry = statement_cache_checked(calloc(1, sizeof(*entry)));
	entry->hash = hash;
	entry->share = share;
	entry->bytes = strlen(sql);
	entry->sql = statement_cache_checked(strdup(sql));
	entry->schema = statement_cache_checked(strdup(schema));
	statement_name(sql, schema, entry->name);
	struct entry **bucket = &cache->buckets[hash & (cache->bucket_count - 1)];
	entry->chain = *bucket;
	*bucket = entry;
	link_newest(cache, entry);
	cache->lists[share].count++;
	cache->lists[share].bytes += entry->bytes;
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

/* Has the statement been seen before, as far as the cache remembers? */
static bool statement_cache_seen(struct statement_cache *cache, uint64_t hash)
{
	uint64_t *place = &cache->seen[hash & (SEEN_MAX - 1)];
	bool seen = *place == hash;
	*place = hash;
	return seen;
}

/* Do own and composed statements fill the cache? */
static bool statement_cache_full(const struct statement_cache *cache)
{
	return cache->lists[SHARE_OWN].count + cache->lists[SHARE_COMPOSED].count >=
		cache->capacity;
}

/* Composed statements go before the worker's own. */
static struct entry *statement_cache_oldest(const struct statement_cache *cache)
{
	struct entry *composed = cache->lists[SHARE_COMPOSED].oldest;
	return composed ? composed : cache->lists[SHARE_OWN].oldest;
}

/* Drops at most one statement for the new one of `size` bytes: the one of its share that was used least
 * recently, if the share is full. *dropped: its name. False: there is still no room. */
static bool statement_cache_fits(struct statement_cache *cache, enum statement_share share,
	size_t size, const char **dropped)
{
	struct use_list *list = &cache->lists[share];
	bool over = list->bytes + size > list->most;
	if (over && list->oldest)
		*dropped = statement_cache_make_room(cache, list->oldest);
	else if (!over && share == SHARE_COMPOSED && statement_cache_full(cache))
		*dropped = statement_cache_make_room(cache, statement_cache_oldest(cache));
	return list->bytes + size <= list->most;
}

/* May the new statement be prepared? Its share then has room for it. */
static bool statement_cache_admits(struct statement_cache *cache, enum statement_share share,
	uint64_t hash, const char *sql, const char **dropped)
{
	size_t size = strlen(sql);
	if (share == SHARE_OWN) {
		if (statement_cache_full(cache))
			*dropped = statement_cache_make_room(cache, statement_cache_oldest(cache));
		return true;
	}
	return statement_cache_seen(cache, hash) && size <= COMPOSED_LONGEST &&
		statement_cache_fits(cache, share, size, dropped);
}

struct statement_slot statement_cache_get(struct statement_cache *cache, enum statement_share share,
	const char *sql, const char *schema)
{
	schema = schema ? schema : "";
	uint64_t hash = statement_cache_hash(sql, schema);
	struct entry *entry = statement_cache_find(cache, hash, sql, schema);
	if (entry)
		return (struct statement_slot){ .name = entry->name };
	struct statement_slot slot = { 0 };
	if (!statement_cache_admits(cache, share, hash, sql, &slot.dropped))
		return slot;
	slot.name = entry_new(cache, share, hash, sql, schema)->name;
	slot.fresh = true;
	return slot;
}
