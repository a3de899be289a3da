/*
 * index.h - what the catalog says about a vector table, and how SQL names the table
 *
 * One statement reads the catalog, in the transaction of the commands that use the answer: another
 * client may drop the table, create it again with other types, or build its index at any time.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_INDEX_H
#define HANDLERS_DOMAINS_VECTORS_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "handlers/domains/vectors/kind.h"

#define VECTORS_NAMESPACE_DEFAULT "default"

struct vectors_index {
	struct datum name;
	bool exists;
	int64_t oid;
	enum vectors_type type;
	uint32_t type_oid;
	int dimension;         /* -1: the column has no fixed dimension */
	const char *extension; /* the schema of the extension pgvector, quoted */
	bool iterative; /* pgvector 0.8 or later: an index scan can continue until it has enough rows */
	const char *method_name; /* as describeIndex reports it: "flat" without an index */
	enum vectors_method method;
	enum vectors_metric metric;
	int m, ef_construction, lists;  /* options of the index; 0: not given */
	bool has_namespace, has_unique; /* tables of older releases of the reference lack these */
	const char *unique_name;        /* quoted: the name that the unique index gets */
	const char *old_unique; /* quoted: the constraint that the unique index replaces, or NULL */
};

/* Reads a namespace; null means the default one. False: the call has failed. */
bool vectors_namespace(struct context *ctx, struct call *call, const struct datum *given,
	struct datum *out) __attribute__((warn_unused_result));

/* Reads the catalog for `count` tables, whose names are checked and distinct. `done` gets the
 * indexes in the order of the names, in the context's arena; `exists` is false for a missing
 * table. */
typedef void vectors_described_fn(struct context *ctx, const struct vectors_index *indexes,
	uint32_t count, void *arg);
void vectors_describe(struct context *ctx, const struct datum *names, uint32_t count,
	vectors_described_fn *done, void *arg);

/* False: the table does not exist, and the call has failed with INDEX_NOT_FOUND. */
bool vectors_index_ok(struct context *ctx, struct call *call, const struct vectors_index *index)
	__attribute__((warn_unused_result));

/* True if vectors_index_migrate would send nothing. */
bool vectors_index_is_migrated(const struct vectors_index *index);

/* Migrates a table of an older release of the reference as newer releases do when they first use
 * it: adds the namespace, and makes (namespace, vector_id) unique. Sends nothing if the table
 * needs no migration. */
void vectors_index_migrate(struct context *ctx, const struct vectors_index *index);

/* Metadata in the form that is stored: repaired, and spelled as JSON.stringify spells it. Null
 * for what JavaScript treats as absent: null, false, 0 and "". False: the call has failed;
 * `name` is the field. */
bool vectors_metadata(struct context *ctx, struct call *call, const struct datum *given,
	const char *name, struct datum *out) __attribute__((warn_unused_result));
/* True for a filter that is given and is not an empty object. */
bool vectors_filter_given(const struct datum *json);

/* `:"schema"."name"`: the table in SQL that context_send_sql sends. */
const char *vectors_table(struct arena *arena, const struct vectors_index *index);
/* The column's type with its schema, for a cast. */
const char *vectors_type_sql(struct arena *arena, const struct vectors_index *index);

#endif
