/*
 * observational.h - what the files of observational memory share
 *
 * One record a generation in mastra_observational_memory; a thread's or a resource's records
 * have the same "lookupKey". Token counts are numbers that may have a fraction; the columns are
 * integers of 32 bits.
 */
#ifndef HANDLERS_DOMAINS_MEMORY_OBSERVATIONAL_H
#define HANDLERS_DOMAINS_MEMORY_OBSERVATIONAL_H

#include <stdbool.h>
#include <stdint.h>

#include "handlers/core/context.h"

/* JavaScript's Math.round: a half goes up, also below zero. */
double om_round(double value);

/* A token count as its column holds it, rounded; false (the call has failed) if it can't. */
bool om_tokens(struct context *ctx, struct call *call, const struct datum *tokens, const char *name,
	int32_t *out);

/* Ends a call whose statement touched the record, or found none. */
context_result_fn om_updated;

/* The columns of a row that insertObservationalMemoryRecord's statement takes, in its order. */
enum om_column {
	OM_ID,
	OM_SCOPE,
	OM_RESOURCE_ID,
	OM_THREAD_ID,
	OM_ACTIVE_OBSERVATIONS,
	OM_ORIGIN_TYPE,
	OM_CONFIG,
	OM_GENERATION_COUNT,
	OM_LAST_OBSERVED_AT,
	OM_LAST_REFLECTION_AT,
	OM_PENDING_MESSAGE_TOKENS,
	OM_TOTAL_TOKENS_OBSERVED,
	OM_OBSERVATION_TOKEN_COUNT,
	OM_OBSERVED_MESSAGE_IDS,
	OM_BUFFERED_OBSERVATION_CHUNKS,
	OM_BUFFERED_REFLECTION,
	OM_BUFFERED_REFLECTION_TOKENS,
	OM_BUFFERED_REFLECTION_INPUT_TOKENS,
	OM_REFLECTED_OBSERVATION_LINE_COUNT,
	OM_IS_OBSERVING,
	OM_IS_REFLECTING,
	OM_IS_BUFFERING_OBSERVATION,
	OM_IS_BUFFERING_REFLECTION,
	OM_LAST_BUFFERED_AT_TOKENS,
	OM_LAST_BUFFERED_AT_TIME,
	OM_OBSERVED_TIMEZONE,
	OM_METADATA,
	OM_CREATED_AT,
	OM_UPDATED_AT,
	OM_COLUMNS,
};

struct om_row {
	struct datum column[OM_COLUMNS];
};

/* Appends the column as the statement's next parameter; false if it can't be (the call has
 * failed). */
bool om_bind(struct context *ctx, struct call *call, const struct om_row *row,
	enum om_column column);

/* The generation that follows `current` (an ObservationalMemoryRecord): its row but for the
 * observations. False: the call has failed. */
bool om_next_generation(struct context *ctx, struct call *call, const struct datum *current,
	const struct datum *tokens, struct om_row *row);

/* The row as the reply's record. `tokens` is replied as it was given, though stored rounded. */
struct datum om_reply(struct context *ctx, const struct call *call, const struct om_row *row,
	const struct datum *tokens);

#endif
