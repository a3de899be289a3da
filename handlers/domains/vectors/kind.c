/* kind.c - the words of vector indexes, and the check of index names */
#include "handlers/domains/vectors/kind.h"

#include <string.h>

const char *const vectors_type_names[] = { "vector", "halfvec", "bit", "sparsevec", NULL };
const char *const vectors_method_names[] = { "flat", "ivfflat", "hnsw", NULL };
const char *const vectors_metric_names[] = { "cosine", "euclidean", "dotproduct", "hamming",
	"jaccard", NULL };

static bool vectors_kind_is_name(const struct datum *name)
{
	if (name->size == 0 || name->size > VECTORS_NAME_MAX)
		return false;
	for (uint32_t i = 0; i < name->size; i++) {
		char c = name->text[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return true;
}

bool vectors_name_ok(struct context *ctx, struct call *call, const struct datum *name)
{
	if (vectors_kind_is_name(name))
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_INDEX_NAME", NULL,
		"Invalid index name: %.*s. It must start with a letter or underscore, contain only "
		"letters, numbers and underscores, and be at most %d characters long",
		(int)(name->size < 2 * VECTORS_NAME_MAX ? name->size : 2 * VECTORS_NAME_MAX),
		name->text, VECTORS_NAME_MAX);
	return false;
}

bool vectors_name_reserved(const char *name)
{
	static const char *const prefixes[] = { "mastra_", "stowage_", "pg_" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}
