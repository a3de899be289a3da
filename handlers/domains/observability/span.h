/*
 * span.h - what one command writes to one span
 *
 * Columns have the numbers of the fields of CreateSpanRecord. UpdateSpanRecord has the same fields
 * without the two ids.
 */
#ifndef HANDLERS_DOMAINS_OBSERVABILITY_SPAN_H
#define HANDLERS_DOMAINS_OBSERVABILITY_SPAN_H

#include "fields.gen.h"
#include "handlers/core/context.h"

#define SPAN_COLUMNS OBSERVABILITY_CREATE_SPAN_RECORD__CLEAR
#define SPAN_BIT(column) (UINT64_C(1) << (column))

enum span_kind {
	SPAN_TEXT, /* also the words: a type that only later releases know is stored as it is */
	SPAN_BOOL,
	SPAN_TIME,
	SPAN_JSON,
	SPAN_TEXTS, /* array<string>, stored as JSON */
	SPAN_JSONS, /* array<json>, stored as JSON */
};

struct span_write {
	const struct datum *trace_id;
	const struct datum *span_id;
	const struct datum
		*items; /* values of the columns from `first` on, checked and ready to bind */
	unsigned first;
	bool creates;
	/* endedAtZ follows endedAt, with one exception of the reference: an update that clears
	 * endedAt leaves endedAtZ. */
	bool ended_z_given;
	struct datum ended_z;
	uint64_t given;   /* columns with a value */
	uint64_t cleared; /* columns to set to null */
	size_t place;     /* position among the writes of a context */
	struct span_write *next;
};

static inline const struct datum *span_value(const struct span_write *write, unsigned column)
{
	return &write->items[column - write->first];
}

enum span_kind span_kind(unsigned column);

/* An array<string> as a JSON text, flagged if it needs a repair. In the arena. */
struct datum span_texts_json(struct arena *arena, const struct datum *texts);

/* Reads the commands of one context. */
struct span_reader {
	struct context *ctx;
	struct call *call;
	/* The last list of names to clear, and its columns: lists repeat from span to span. */
	const struct datum *names;
	uint64_t named;
};

/* Read a CreateSpanRecord, or an UpdateSpanRecord. False: the call has failed. */
bool span_read_create(struct span_reader *reader, const struct datum *record,
	const struct type *type, struct span_write *out) __attribute__((warn_unused_result));
bool span_read_update(struct span_reader *reader, const struct datum *trace_id,
	const struct datum *span_id, const struct datum *updates, const struct type *type,
	struct span_write *out) __attribute__((warn_unused_result));

/* Merges `later` into `earlier`, an earlier write to the same span. Values of `later` win. */
void span_merge(struct arena *arena, struct span_write *earlier, const struct span_write *later);

#endif
