/*
 * observational.h - what the files of observational memory share
 *
 * mastra_observational_memory has one row per generation; the rows of one thread (or of one
 * resource) have the same "lookupKey", and the highest "generationCount" is the current one. A
 * struct om_row is such a row on its way from a command to the table, or to a reply.
 *
 * Token counts are doubles in the protocol and 32-bit integers in the table: most commands round
 * them as the reference does.
 *
 * The functions run on the executor's thread. Those that return bool return false after they failed
 * the call; the caller just returns.
 */
#ifndef HANDLERS_DOMAINS_MEMORY_OBSERVATIONAL_H
#define HANDLERS_DOMAINS_MEMORY_OBSERVATIONAL_H

#include <stdbool.h>
#include <stdint.h>

#include "handlers/core/context.h"

/* JavaScript's Math.round: halves are rounded up, also below zero. */
double om_round(double value);

/* Rounds a token count to its column's type. False if it does not fit; `name` is the field's name
 * for the error message. */
bool om_tokens(struct context *ctx, struct call *call, const struct datum *tokens, const char *name,
	int32_t *out);

/* Binds the current time and the id, which are the last two parameters of every update, and sends
 * the statement. The call succeeds with null, or fails as its `missing` line says if no row has the
 * id. */
void om_send_update(struct context *ctx, struct call *call, int statement, const struct datum *id);

/* The columns of a row, in the order of the parameters of insertObservationalMemoryRecord.sql. */
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
	struct datum column[OM_COLUMNS]; /* texts point into the request or the arena */
	int64_t now_us; /* createdAt and updatedAt to the microsecond; 0: they are given */
};

/* The column's name, which is also the name of the protocol's field. */
const char *om_column_name(enum om_column column);

/* A row of generation 0 with a new id: no observations, all counts 0, all flags false, created now. */
struct om_row om_new_row(struct context *ctx, const struct call *call);

/* Checks the config (a JSON object) and puts it into the row as the column stores it. */
bool om_read_config(struct context *ctx, struct call *call, const struct datum *config,
	struct om_row *row);

/* Checks the metadata and puts it into the row. `path` is the field's path for the error message. */
bool om_read_metadata(struct context *ctx, struct call *call, const struct datum *metadata,
	const char *path, struct om_row *row);

/* Appends the column as the statement's next parameter. */
bool om_bind(struct context *ctx, struct call *call, const struct om_row *row,
	enum om_column column);

/* Sends the INSERT of the row; `done` (may be NULL) gets its result with the call as `arg`. */
bool om_insert(struct context *ctx, struct call *call, const struct om_row *row,
	context_result_fn *done);

/* Makes the row of the generation that follows `current` (an ObservationalMemoryRecord), all but
 * its observations. */
bool om_next_generation(struct context *ctx, struct call *call, const struct datum *current,
	const struct datum *tokens, struct om_row *row);

/* The row as the reply's record. `tokens` (may be NULL) is the unrounded observationTokenCount: the
 * reference returns the given number, though it stores the rounded one. */
struct datum om_reply(struct context *ctx, const struct call *call, const struct om_row *row,
	const struct datum *tokens);

#endif
