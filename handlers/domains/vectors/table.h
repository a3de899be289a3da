/*
 * table.h - finds, creates and checks the table of a vector index
 *
 * All statements run in the context's transaction, behind a lock on the index's name.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_TABLE_H
#define HANDLERS_DOMAINS_VECTORS_TABLE_H

#include "handlers/core/context.h"
#include "handlers/domains/vectors/config.h"

/* What exists under the name. Texts live in the arena. */
struct vectors_table {
	const char *name;   /* a valid name */
	const char *quoted; /* "schema"."name" */
	const char *home;   /* schema of the extension; NULL: it is not installed */
	bool modern;        /* the extension has halfvec, sparsevec and the operators of bit */
	bool installable;   /* this user may create the extension */
	bool present;       /* something of that name exists */
	bool vectors;       /* it is a vector table, and type and dimension are set */
	enum vectors_type type;
	int32_t dimension; /* -1: any */
};

typedef void vectors_table_fn(struct context *ctx, struct call *call,
	const struct vectors_table *table, void *arg);

/* Locks the index's name, reads what exists under it, and calls `done`. An invalid name fails
 * the call at once; so does, with INVALID_INDEX_NAME, a reserved name under which nothing exists. The command needs the flag `barrier`. */
void vectors_table_find(struct context *ctx, struct call *call, const struct datum *name,
	vectors_table_fn *done, void *arg);

/* Creates the extension. Call vectors_table_find again after it. */
void vectors_table_install(struct context *ctx);
/* Creates the table if it is missing, migrates a table of an older release, and calls `done`. */
typedef void vectors_created_fn(struct context *ctx, void *arg);
void vectors_table_create(struct context *ctx, const struct vectors_table *table,
	enum vectors_type type, int32_t dimension, vectors_created_fn *done, void *arg);

/* True if it is a vector table. False: the call has failed, because nothing of that name exists,
 * or something that is not ours to change. */
bool vectors_table_ok(struct context *ctx, struct call *call, const struct vectors_table *table)
	__attribute__((warn_unused_result));

#endif
