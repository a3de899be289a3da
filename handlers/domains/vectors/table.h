/*
 * table.h - the table of a vector index: what stands there, and making it
 *
 * All within the turn's transaction, behind a lock on the index's name.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_TABLE_H
#define HANDLERS_DOMAINS_VECTORS_TABLE_H

#include "handlers/core/context.h"
#include "handlers/domains/vectors/config.h"

/* What was found under the name. Texts live in the arena. */
struct vectors_table {
	const char *name;   /* a valid one */
	const char *quoted; /* "schema"."name" */
	const char *home;   /* schema of the extension; NULL: it is not there */
	bool modern;        /* it has halfvec, sparsevec and the operators of bit */
	bool installable;
	bool present; /* something of that name is there */
	bool vectors; /* and it is a table of vectors: */
	enum vectors_type type;
	int32_t dimension; /* -1: any */
};

typedef void vectors_table_fn(struct context *ctx, struct call *call,
	const struct vectors_table *table, void *arg);

/* Takes the lock on the call's index, looks, and calls `done`. A name that is none fails the call
 * at once. The command must be a barrier. */
void vectors_table_look(struct context *ctx, struct call *call, const struct datum *name,
	vectors_table_fn *done, void *arg);

/* Makes the extension; to be looked again thereafter. */
void vectors_table_install(struct context *ctx);
/* Makes the table unless it is there, brings one of before there were namespaces up to date, and
 * calls `done`. */
typedef void vectors_made_fn(struct context *ctx, void *arg);
void vectors_table_make(struct context *ctx, const struct vectors_table *table,
	enum vectors_type type, int32_t dimension, vectors_made_fn *done, void *arg);

/* True: it is a table of vectors. Else the call fails: nothing of that name is there, or
 * something else, which is not ours to touch. */
bool vectors_table_ok(struct context *ctx, struct call *call, const struct vectors_table *table)
	__attribute__((warn_unused_result));

#endif
