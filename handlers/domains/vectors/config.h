/*
 * config.h - the vector index that a command asks for: type, metric, method and options
 *
 * The request is read first. Defaults are settled once the column's type is known, because an
 * existing table keeps its type. Configurations that pgvector would reject at the end of a long
 * build are rejected here.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_CONFIG_H
#define HANDLERS_DOMAINS_VECTORS_CONFIG_H

#include "handlers/domains/vectors/kind.h"

struct vectors_config {
	enum vectors_type type;
	enum vectors_metric metric;
	enum vectors_method method;
	bool method_given;
	bool keep; /* the command has no indexConfig: an existing index of that metric may stay */
	int32_t lists; /* 0: chosen by the number of rows */
	int32_t m, ef_construction;
};

/* Reads the three fields of the request; `config` may be null. False: the call has failed,
 * because of an unknown word or a number out of range. */
bool vectors_config_read(struct context *ctx, struct call *call, const struct datum *metric,
	const struct datum *type, const struct datum *config, struct vectors_config *out)
	__attribute__((warn_unused_result));

/* Settles the defaults by the column's type. False: the call has failed, because parts of the
 * configuration do not go together. */
bool vectors_config_settle(struct context *ctx, struct call *call, enum vectors_type type,
	struct vectors_config *config) __attribute__((warn_unused_result));

/* Check a number of dimensions: for a column of the type, and for the index on it. False: the
 * call has failed. */
bool vectors_dimension_ok(struct context *ctx, struct call *call, enum vectors_type type,
	int64_t dimension) __attribute__((warn_unused_result));
bool vectors_config_dimension_ok(struct context *ctx, struct call *call,
	const struct vectors_config *config, int64_t dimension) __attribute__((warn_unused_result));

/* The index as a JSON object for stowage_build_ask (db/ddl/stowage_builds.sql), NUL-terminated, in the
 * arena. */
const char *vectors_config_wanted(struct context *ctx, const char *table,
	const struct vectors_config *config);

#endif
