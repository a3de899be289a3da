/* hint.c - stores hints about vector indexes, and which of their namespaces are crowded */
#include "handlers/domains/vectors/hint.h"

#include <stdlib.h>
#include <string.h>

#include "handlers/core/hints.h"
#include "schemas/base/alloc.h"

/* A namespace counts as crowded for this many searches; then its rows are counted again. */
#define CROWDED_SEARCHES 64

struct noted {
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
	struct noted *noted = value;
	free(noted->extension);
	free(noted->stamp);
	free(noted->crowded);
	free(noted);
}

static struct noted *hint_entry(struct context *ctx, const struct datum *name)
{
	return hints_find(ctx->hints, name->text, name->size);
}

static bool is_namespace(const struct noted *noted, const struct datum *namespace)
{
	return noted->crowded && noted->crowded_size == namespace->size &&
		memcmp(noted->crowded, namespace->text, namespace->size) == 0;
}

static bool is_crowded(struct noted *noted, const struct datum *namespace)
{
	if (!is_namespace(noted, namespace) || noted->searches == 0)
		return false;
	noted->searches--;
	return true;
}

static struct vectors_index copy_index(struct context *ctx, const struct noted *noted,
	const struct datum *name)
{
	struct vectors_index index = noted->index;
	index.name = *name;
	index.extension = arena_copy(ctx->arena, noted->extension, strlen(noted->extension));
	return index;
}

bool vectors_hint_find_table(struct context *ctx, const struct datum *name,
	struct vectors_index *index)
{
	const struct noted *noted = hint_entry(ctx, name);
	if (!noted || !noted->migrated || !context_use_hints(ctx))
		return false;
	*index = copy_index(ctx, noted, name);
	return true;
}

bool vectors_hint_find(struct context *ctx, const struct datum *name, const struct datum *namespace,
	struct vectors_hint *hint)
{
	struct noted *noted = hint_entry(ctx, name);
	if (!noted || !noted->stamp || !context_use_hints(ctx))
		return false;
	hint->index = copy_index(ctx, noted, name);
	hint->stamp = arena_copy(ctx->arena, noted->stamp, strlen(noted->stamp));
	hint->crowded = is_crowded(noted, namespace);
	return true;
}

void vectors_hint_put(struct context *ctx, const struct vectors_index *index, const char *stamp)
{
	struct noted *noted = allocate(sizeof(*noted));
	*noted = (struct noted){
		.index = *index,
		.migrated = vectors_index_is_migrated(index),
		.extension = vectors_hint_copy(index->extension, strlen(index->extension)),
		.stamp = stamp ? vectors_hint_copy(stamp, strlen(stamp)) : NULL,
	};
	/* These texts live in the arena, and users of a hint do not need them. */
	noted->index.method_name = noted->index.unique_name = noted->index.old_unique = NULL;
	hints_put(ctx->hints, index->name.text, index->name.size, noted, vectors_hint_release);
}

void vectors_hint_crowded(struct context *ctx, const struct datum *name,
	const struct datum *namespace)
{
	struct noted *noted = hint_entry(ctx, name);
	if (!noted || (noted->scattered && is_namespace(noted, namespace)))
		return;
	free(noted->crowded);
	noted->crowded = vectors_hint_copy(namespace->text, namespace->size);
	noted->crowded_size = namespace->size;
	noted->searches = CROWDED_SEARCHES;
	noted->scattered = false;
}

void vectors_hint_scattered(struct context *ctx, const struct datum *name)
{
	struct noted *noted = hint_entry(ctx, name);
	if (!noted)
		return;
	noted->searches = 0;
	noted->scattered = true;
}

void vectors_hint_drop(struct context *ctx, const struct datum *name)
{
	hints_drop(ctx->hints, name->text, name->size);
}
