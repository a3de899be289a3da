/*
 * config.h - what a command asks of a vector index: type, metric, method and its options
 *
 * Read from the request first, settled once the column's type is known (a table that is there
 * keeps its own). What pgvector would refuse at the end of a long build is refused here.
 */
#ifndef HANDLERS_DOMAINS_VECTORS_CONFIG_H
#define HANDLERS_DOMAINS_VECTORS_CONFIG_H

#include "handlers/domains/vectors/kind.h"

struct vectors_config {
	enum vectors_type type;
	enum vectors_metric metric;
	enum vectors_method method;
	bool method_given;
	bool keep; /* nothing is said of the index: one that is there with that metric may stay */
	int32_t lists; /* 0: by the number of rows */
	int32_t m, ef_construction;
};

/* Unknown words and numbers out of range fail the call. `config` may be null. */
bool vectors_config_read(struct context *ctx, struct call *call, const struct datum *metric,
	const struct datum *type, const struct datum *config, struct vectors_config *out)
	__attribute__((warn_unused_result));

/* Defaults by the column's type; what does not go together fails the call. */
bool vectors_config_settle(struct context *ctx, struct call *call, enum vectors_type type,
	struct vectors_config *config) __attribute__((warn_unused_result));

/* A column of so many dimensions; an index over them. */
bool vectors_dimension_ok(struct context *ctx, struct call *call, enum vectors_type type,
	int64_t dimension) __attribute__((warn_unused_result));
bool vectors_config_dimension_ok(struct context *ctx, struct call *call,
	const struct vectors_config *config, int64_t dimension) __attribute__((warn_unused_result));

/* The index as stowage_build_ask takes it, a JSON object; NUL-terminated, in the arena. */
const char *vectors_config_wanted(struct context *ctx, const char *table,
	const struct vectors_config *config);

#endif
