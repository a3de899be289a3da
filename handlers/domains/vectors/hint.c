/* hint.c - stores hints about vector indexes, and which of their namespaces are crowded */
#include "handlers/domains/vectors/hint.h"

#include <stdlib.h>
#include <string.h>

#include "handlers/core/hints.h"
#include "schemas/base/alloc.h"

/* A namespace counts as crowded for this many searches; then its rows are counted again. */
#define CROWDED_SEARCHES 64

struct hint_entry {
	struct vectors_index index;
	bool migrated;
	char *extension, *stamp;
	char *crowded; /* the crowded namespace, or NULL */
	uint32_t crowded_size;
	unsigned searches; /* searches that may still rely on it */
	bool scattered;    /* no search may rely on it, whatever a count says */
};

static char *vectors_hint_copy(const char *text, size_t size)
{
	char *bytes = allocate(size + 1);
	memcpy(bytes, text, size);
	bytes[size] = '\0';
	return bytes;
}

static void vectors_hint_release(void *value)
{
	struct hint_entry *entry = value;
	free(entry->extension);
	free(entry->stamp);
	free(entry->crowded);
	free(entry);
}

/* A hint's key: the schema, a NUL and the index's name. Both are in the arena. */
static struct datum vectors_hint_key(struct context *ctx, const struct datum *name)
{
	size_t schema = strlen(ctx->schema) + 1;
	char *key = arena_alloc(ctx->arena, schema + name->size);
	memcpy(key, ctx->schema, schema);
	memcpy(key + schema, name->text, name->size);
	return datum_text(key, (uint32_t)schema + name->size);
}

static struct hint_entry *vectors_hint_entry(struct context *ctx, const struct datum *name)
{
	struct datum key = vectors_hint_key(ctx, name);
	return hints_find(ctx->hints, key.text, key.size);
}

static bool vectors_hint_is_namespace(const struct hint_entry *entry, const struct datum *namespace)
{
	return entry->crowded && entry->crowded_size == namespace->size &&
		memcmp(entry->crowded, namespace->text, namespace->size) == 0;
}

static bool vectors_hint_is_crowded(struct hint_entry *entry, const struct datum *namespace)
{
	if (!vectors_hint_is_namespace(entry, namespace) || entry->searches == 0)
		return false;
	entry->searches--;
	return true;
}

static struct vectors_index vectors_hint_copy_index(struct context *ctx,
	const struct hint_entry *entry, const struct datum *name)
{
	struct vectors_index index = entry->index;
	index.name = *name;
	index.extension = arena_copy(ctx->arena, entry->extension, strlen(entry->extension));
	return index;
}

bool vectors_hint_find_table(struct context *ctx, const struct datum *name,
	struct vectors_index *index)
{
	const struct hint_entry *entry = vectors_hint_entry(ctx, name);
	if (!entry || !entry->migrated || !context_use_hints(ctx))
		return false;
	*index = vectors_hint_copy_index(ctx, entry, name);
	return true;
}

bool vectors_hint_find(struct context *ctx, const struct datum *name, const struct datum *namespace,
	struct vectors_hint *hint)
{
	struct hint_entry *entry = vectors_hint_entry(ctx, name);
	if (!entry || !entry->stamp || !context_use_hints(ctx))
		return false;
	hint->index = vectors_hint_copy_index(ctx, entry, name);
	hint->stamp = arena_copy(ctx->arena, entry->stamp, strlen(entry->stamp));
	hint->crowded = vectors_hint_is_crowded(entry, namespace);
	return true;
}

void vectors_hint_put(struct context *ctx, const struct vectors_index *index, const char *stamp)
{
	struct hint_entry *entry = allocate(sizeof(*entry));
	*entry = (struct hint_entry){
		.index = *index,
		.migrated = vectors_index_is_migrated(index),
		.extension = vectors_hint_copy(index->extension, strlen(index->extension)),
		.stamp = stamp ? vectors_hint_copy(stamp, strlen(stamp)) : NULL,
	};
	/* These texts live in the arena, and users of a hint do not need them. */
	entry->index.method_name = entry->index.unique_name = entry->index.old_unique = NULL;
	struct datum key = vectors_hint_key(ctx, &index->name);
	hints_put(ctx->hints, key.text, key.size, entry, vectors_hint_release);
}

void vectors_hint_crowded(struct context *ctx, const struct datum *name,
	const struct datum *namespace)
{
	struct hint_entry *entry = vectors_hint_entry(ctx, name);
	if (!entry || (entry->scattered && vectors_hint_is_namespace(entry, namespace)))
		return;
	free(entry->crowded);
	entry->crowded = vectors_hint_copy(namespace->text, namespace->size);
	entry->crowded_size = namespace->size;
	entry->searches = CROWDED_SEARCHES;
	entry->scattered = false;
}

void vectors_hint_scattered(struct context *ctx, const struct datum *name)
{
	struct hint_entry *entry = vectors_hint_entry(ctx, name);
	if (!entry)
		return;
	entry->searches = 0;
	entry->scattered = true;
}

void vectors_hint_drop(struct context *ctx, const struct datum *name)
{
	struct datum key = vectors_hint_key(ctx, name);
	hints_drop(ctx->hints, key.text, key.size);
}
