/*
 * tenants.h - which PostgreSQL schemas commands may name, and which of them are known to be complete
 *
 * A tenant is a schema other than the worker's own. Strangers choose the names, so the memory is bounded:
 * the worker remembers some thousand complete schemas and looks at others again (tenant_check.h).
 *
 * Any thread.
 */
#ifndef WORKER_ENGINE_TENANTS_H
#define WORKER_ENGINE_TENANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/base/arena.h"
#include "worker/engine/headers.h"

struct tenants;

/* `own`: the worker's schema; `pattern`: of the tenants' (postgres.schemas, which the configuration has
 * checked). Free with tenants_free; NULL is fine. */
struct tenants *tenants_new(const char *own, const char *pattern);
void tenants_free(struct tenants *tenants);

/* The schema that a command names: *schema is a copy in the arena, or NULL for the worker's own. False: no
 * command may name it, and *why says why. Without `tenants`, only a command that names none is served. */
bool tenants_allow(const struct tenants *tenants, struct header_text name, struct arena *arena,
	const char **schema, const char **why) __attribute__((warn_unused_result));

/* Are two schemas the same one? NULL is the worker's own. */
bool tenants_same(const char *a, const char *b);

/* Is the schema known to be complete? */
bool tenants_complete(struct tenants *tenants, const char *schema);
void tenants_learn(struct tenants *tenants, const char *schema);
/* A statement failed in it: the next command looks at the schema again. */
void tenants_forget(struct tenants *tenants, const char *schema);

#endif
