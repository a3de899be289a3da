/*
 * index.h - what must be known of a vector table before SQL on it is composed
 *
 * One statement on the catalog, in the transaction of the commands that use what it tells: a table
 * may be dropped, made anew with other types or get its index at any time.
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
	int dimension;           /* -1: the column takes any */
	const char *extension;   /* the schema of pgvector, quoted */
	bool iterative;          /* pgvector 0.8 or later: scans that go on until enough is found */
	const char *method_name; /* as the index is described: "flat" if there is none */
	enum vectors_method method;
	enum vectors_metric metric;
	int m, ef_construction, lists;  /* of the index; 0: not given */
	bool has_namespace, has_unique; /* what tables of older releases lack */
	const char *unique_name;        /* quoted: what the unique index is to be called */
	const char *old_unique;         /* quoted: the constraint that stood for it, or NULL */
};

/* The namespace, the default one for a null; false: the call has failed. */
bool vectors_namespace(struct context *ctx, struct call *call, const struct datum *given,
	struct datum *out) __attribute__((warn_unused_result));

/* Asks the catalog for `count` tables (distinct, checked names). `done` gets them in the order of
 * the names; a table that is not there has `exists` false. They live in the turn's arena. */
typedef void vectors_described_fn(struct context *ctx, const struct vectors_index *indexes,
	uint32_t count, void *arg);
void vectors_describe(struct context *ctx, const struct datum *names, uint32_t count,
	vectors_described_fn *done, void *arg);

/* The call's error if the table is not there. */
bool vectors_index_ok(struct context *ctx, struct call *call, const struct vectors_index *index)
	__attribute__((warn_unused_result));

/* Is there nothing to do for vectors_index_migrate? */
bool vectors_index_is_migrated(const struct vectors_index *index);

/* Makes of a table of an older release of the reference what the newer ones make of it when they
 * first meet it: with a namespace, unique by it and vector_id. Sends nothing if it is that. */
void vectors_index_migrate(struct context *ctx, const struct vectors_index *index);

/* Metadata as it is stored: as JSON.stringify writes it, and repaired. Null for what JavaScript
 * takes for none: null, false, 0, "" or absent. False: the call has failed; `name` is the field. */
bool vectors_metadata(struct context *ctx, struct call *call, const struct datum *given,
	const char *name, struct datum *out) __attribute__((warn_unused_result));
/* A filter that is given and not an empty object. */
bool vectors_filter_given(const struct datum *json);

/* `:"schema"."name"`, for SQL. */
const char *vectors_table(struct arena *arena, const struct vectors_index *index);
/* The column's type with its schema, for casts. */
const char *vectors_type_sql(struct arena *arena, const struct vectors_index *index);

#endif
