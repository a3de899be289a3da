/* tenants.c - the allow-list of schemas, and a bounded set of those that are complete */
#include "worker/engine/tenants.h"

#include <pthread.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"
#include "schemas/base/siphash.h"
#include "worker/config/check.h"

/* PostgreSQL cuts a longer name off. */
#define SCHEMA_NAME_MAX 63
/* A hash names a row of places; a full row forgets the name that entered first. */
#define TENANT_ROWS 4096 /* a power of two */
#define TENANT_PLACES 4

struct tenant_row {
	char *names[TENANT_PLACES]; /* newest first; NULL: free */
};

struct tenants {
	const char *own;
	bool any; /* there is a pattern */
	regex_t pattern;
	struct siphash_seed seed;
	pthread_mutex_t mutex; /* for rows */
	struct tenant_row rows[TENANT_ROWS];
};

struct tenants *tenants_new(const char *own, const char *pattern)
{
	struct tenants *tenants = alloc_zero(1, sizeof(*tenants));
	tenants->own = own;
	tenants->seed = siphash_seed();
	tenants->any = *pattern != '\0';
	pthread_mutex_init(&tenants->mutex, NULL);
	if (!tenants->any)
		return tenants;
	char *whole = alloc_printf("^(%s)$", pattern);
	if (regcomp(&tenants->pattern, whole, REG_EXTENDED | REG_NOSUB))
		abort();
	free(whole);
	return tenants;
}

void tenants_free(struct tenants *tenants)
{
	if (!tenants)
		return;
	for (size_t i = 0; i < TENANT_ROWS; i++)
		for (size_t k = 0; k < TENANT_PLACES; k++)
			free(tenants->rows[i].names[k]);
	if (tenants->any)
		regfree(&tenants->pattern);
	pthread_mutex_destroy(&tenants->mutex);
	free(tenants);
}

/* --- the allow-list --- */

bool tenants_allow(const struct tenants *tenants, struct header_text name, struct arena *arena,
	const char **schema, const char **why)
{
	static const char bad[] =
		"is no name of a schema: it must have 1 to 63 bytes of UTF-8 without NUL";
	char reason[256];
	*schema = NULL;
	*why = bad;
	if (!name.bytes)
		return true;
	if (name.size == 0 || name.size > SCHEMA_NAME_MAX || memchr(name.bytes, 0, name.size))
		return false;
	char *text = arena_copy(arena, name.bytes, name.size);
	if (tenants && strcmp(text, tenants->own) == 0)
		return true;
	if (!config_check_schema(text, reason, sizeof(reason))) {
		*why = arena_copy(arena, reason, strlen(reason));
		return false;
	}
	*why = "does not match the workers' postgres.schemas";
	*schema = text;
	return tenants && tenants->any && regexec(&tenants->pattern, text, 0, NULL, 0) == 0;
}

bool tenants_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* --- complete schemas --- */

static struct tenant_row *tenants_row(struct tenants *tenants, const char *schema)
{
	uint64_t hash = siphash(tenants->seed, schema, strlen(schema));
	return &tenants->rows[hash & (TENANT_ROWS - 1)];
}

/* The place of the name in its row; TENANT_PLACES: it has none. */
static size_t tenants_place(const struct tenant_row *row, const char *schema)
{
	size_t place = 0;
	while (place < TENANT_PLACES &&
		(!row->names[place] || strcmp(row->names[place], schema) != 0))
		place++;
	return place;
}

bool tenants_complete(struct tenants *tenants, const char *schema)
{
	pthread_mutex_lock(&tenants->mutex);
	bool complete = tenants_place(tenants_row(tenants, schema), schema) < TENANT_PLACES;
	pthread_mutex_unlock(&tenants->mutex);
	return complete;
}

void tenants_learn(struct tenants *tenants, const char *schema)
{
	pthread_mutex_lock(&tenants->mutex);
	struct tenant_row *row = tenants_row(tenants, schema);
	if (tenants_place(row, schema) == TENANT_PLACES) {
		free(row->names[TENANT_PLACES - 1]);
		memmove(row->names + 1, row->names, (TENANT_PLACES - 1) * sizeof(row->names[0]));
		row->names[0] = alloc_copy(schema);
	}
	pthread_mutex_unlock(&tenants->mutex);
}

void tenants_forget(struct tenants *tenants, const char *schema)
{
	pthread_mutex_lock(&tenants->mutex);
	struct tenant_row *row = tenants_row(tenants, schema);
	size_t place = tenants_place(row, schema);
	if (place < TENANT_PLACES) {
		free(row->names[place]);
		row->names[place] = NULL;
	}
	pthread_mutex_unlock(&tenants->mutex);
}
