/*
 * spans.c - observability.createSpan, batchCreateSpans, updateSpan and batchUpdateSpans
 *
 * All four commands share a context. Their writes are merged and grouped (span_group.h). The
 * updates are sent first, then the upserts. Large groups of creates go in by
 * COPY.
 */
#include <stdlib.h>
#include <string.h>

#include "commands.gen.h"
#include "handlers/core/binding.h"
#include "handlers/domains/observability/span_group.h"
#include "handlers/domains/observability/span_writes.h"
#include "schemas/base/text.h"

#define ENDED_AT OBSERVABILITY_CREATE_SPAN_RECORD__ENDED_AT
#define STARTED_AT OBSERVABILITY_CREATE_SPAN_RECORD__STARTED_AT

/* From this number of rows on, COPY is worth its extra round trips. With many tenants the server would have
 * to plan the upsert each time, which costs it more than the round trips; COPY needs no plan. */
#define COPY_ROWS_MIN 200
#define TENANT_COPY_ROWS_MIN 2
#define COPY_PIECE_BYTES (64 * 1024)

/* ---------------------------------------------------------------- statements */

static void spans_bind_ids(struct params *params, const struct span_group *group)
{
	int traces = params_array(params, ELEMENT_TEXT);
	int spans = params_array(params, ELEMENT_TEXT);

	for (const struct span_write *write = group->first; write; write = write->next) {
		bind_element_text(params, traces, write->trace_id);
		bind_element_text(params, spans, write->span_id);
	}
}

static void spans_bind_bool(struct params *params, int array, const struct datum *value)
{
	if (datum_is_null(value))
		array_null(params, array);
	else
		array_bool(params, array, value->boolean);
}

static void spans_bind_time(struct params *params, int array, const struct datum *value)
{
	if (datum_is_null(value))
		array_null(params, array);
	else
		array_timestamp_ms(params, array, value->integer);
}

static enum params_element spans_element(unsigned column)
{
	switch (span_kind(column)) {
	case SPAN_BOOL:
		return ELEMENT_BOOL;
	case SPAN_TIME:
		return ELEMENT_TIMESTAMP;
	case SPAN_JSON:
	case SPAN_TEXTS:
	case SPAN_JSONS:
		return ELEMENT_JSONB;
	default:
		return ELEMENT_TEXT;
	}
}

/* Binds the column's value as the next element of an array, or the next field of a copied row. */
static void spans_bind_value(struct params *params, int array, const struct span_write *write,
	unsigned column)
{
	const struct datum *value = span_value(write, column);

	switch (spans_element(column)) {
	case ELEMENT_BOOL:
		spans_bind_bool(params, array, value);
		break;
	case ELEMENT_TIMESTAMP:
		spans_bind_time(params, array, value);
		break;
	case ELEMENT_JSONB:
		bind_element_jsonb(params, array, value);
		break;
	default:
		bind_element_text(params, array, value);
		break;
	}
}

static void spans_bind_end(struct params *params, int array, const struct span_write *write)
{
	const struct datum none = datum_null();

	spans_bind_time(params, array, write->ended_z_given ? &write->ended_z : &none);
}

/* A column without values is an empty array of the right type. */
static void spans_bind_column(struct params *params, const struct span_group *group,
	unsigned column)
{
	int array = params_array(params, spans_element(column));

	if (!(group->given & SPAN_BIT(column)))
		return;
	for (const struct span_write *write = group->first; write; write = write->next)
		spans_bind_value(params, array, write, column);
}

/* Binds startedAtZ and endedAtZ. */
static void spans_bind_instants(struct params *params, const struct span_group *group)
{
	int starts = params_array(params, ELEMENT_TIMESTAMPTZ);
	int ends = params_array(params, ELEMENT_TIMESTAMPTZ);

	for (const struct span_write *write = group->first; write; write = write->next) {
		spans_bind_time(params, starts, span_value(write, STARTED_AT));
		spans_bind_end(params, ends, write);
	}
}

static void spans_send_group(struct context *ctx, const struct span_group *group, int statement)
{
	struct params *params = ctx->params;

	spans_bind_ids(params, group);
	for (unsigned column = OBSERVABILITY_CREATE_SPAN_RECORD__NAME; column < SPAN_COLUMNS;
		column++)
		spans_bind_column(params, group, column);
	spans_bind_instants(params, group);
	int keeps = params_array(params, ELEMENT_BOOL);
	for (unsigned column = 0; column < SPAN_COLUMNS; column++)
		array_bool(params, keeps, !(group->cleared & SPAN_BIT(column)));
	context_send(ctx, statement, NULL, NULL);
}

/* ---------------------------------------------------------------- COPY */

/* Names the columns that any of the rows gives; the others stay null. */
static const char *spans_copy_sql(struct context *ctx, const struct type *type,
	const unsigned *columns, size_t count)
{
	struct buffer sql = { 0 };

	text_add(&sql, "COPY :\"schema\".mastra_ai_spans (\"traceId\", \"spanId\", ");
	for (size_t i = 0; i < count; i++) {
		text_add_ident(&sql, type->fields[columns[i]].name);
		text_add(&sql, ", ");
	}
	text_add(&sql, "\"startedAtZ\", \"endedAtZ\") FROM STDIN (FORMAT binary)");
	const char *copy = arena_copy(ctx->arena, text_string(&sql), sql.size);
	buffer_free(&sql);
	return copy;
}

static size_t spans_given_columns(const struct span_group *group, unsigned *columns)
{
	size_t count = 0;

	for (unsigned column = OBSERVABILITY_CREATE_SPAN_RECORD__NAME; column < SPAN_COLUMNS;
		column++)
		if (group->given & SPAN_BIT(column))
			columns[count++] = column;
	return count;
}

static void spans_copy_row(struct params *params, int copy, const struct span_write *write,
	const unsigned *columns, size_t count)
{
	copy_row(params, copy, (int16_t)(count + 4));
	bind_element_text(params, copy, write->trace_id);
	bind_element_text(params, copy, write->span_id);
	for (size_t i = 0; i < count; i++)
		spans_bind_value(params, copy, write, columns[i]);
	spans_bind_time(params, copy, span_value(write, STARTED_AT));
	spans_bind_end(params, copy, write);
}

/* False: a span exists already, and COPY has written none of the rows. */
static bool spans_copy_group(struct context *ctx, const struct type *type,
	const struct span_group *group)
{
	unsigned columns[SPAN_COLUMNS];
	size_t count = spans_given_columns(group, columns);
	size_t least = ctx->calls[0]->schema ? TENANT_COPY_ROWS_MIN : COPY_ROWS_MIN;

	if (group->count < least ||
		!context_copy_begin(ctx, spans_copy_sql(ctx, type, columns, count)))
		return false;
	int copy = params_copy(ctx->params);
	size_t size;
	for (const struct span_write *write = group->first; write; write = write->next) {
		spans_copy_row(ctx->params, copy, write, columns, count);
		copy_bytes(ctx->params, copy, &size);
		if (size >= COPY_PIECE_BYTES)
			context_copy_rows(ctx, copy);
	}
	return context_copy_end(ctx, copy);
}

static void spans_create_group(struct context *ctx, const struct type *type,
	const struct span_group *group)
{
	if (!spans_copy_group(ctx, type, group))
		spans_send_group(ctx, group, SQL_OBSERVABILITY_CREATE_SPAN__UPSERT);
}

void observability_write_spans(struct context *ctx)
{
	struct span_reader reader = { .ctx = ctx };
	struct span_writes writes = { .count = 0 };
	struct span_group *updates = NULL, *creates = NULL;

	for (size_t i = 0; i < ctx->count; i++) {
		size_t before = writes.count;
		reader.call = ctx->calls[i];
		if (span_writes_read(&reader, &writes))
			call_reply_null(ctx, reader.call);
		else
			writes.count = before; /* a failed command writes none of its spans */
	}
	if (!writes.count)
		return;
	span_groups(ctx, &writes, &updates, &creates);
	for (const struct span_group *group = updates; group; group = group->next)
		spans_send_group(ctx, group, SQL_OBSERVABILITY_UPDATE_SPAN);
	for (const struct span_group *group = creates; group; group = group->next)
		spans_create_group(ctx, writes.created, group);
}
