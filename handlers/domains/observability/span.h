/*
 * span.h - what one command writes to one span
 *
 * Columns are counted as the fields of CreateSpanRecord; UpdateSpanRecord has the same without
 * the two ids.
 */
#ifndef HANDLERS_DOMAINS_OBSERVABILITY_SPAN_H
#define HANDLERS_DOMAINS_OBSERVABILITY_SPAN_H

#include "fields.gen.h"
#include "handlers/core/context.h"

#define SPAN_COLUMNS OBSERVABILITY_CREATE_SPAN_RECORD__CLEAR
#define SPAN_BIT(column) (UINT64_C(1) << (column))

enum span_kind {
	SPAN_TEXT,
	SPAN_TYPE,
	SPAN_ENTITY_TYPE,
	SPAN_BOOL,
	SPAN_TIME,
	SPAN_JSON,
	SPAN_TEXTS, /* array<string>, stored as JSON */
	SPAN_JSONS, /* array<json>, stored as JSON */
};

struct span_write {
	const struct datum *trace_id;
	const struct datum *span_id;
	const struct datum *items; /* of the columns from `first` on; checked, ready to be bound */
	unsigned first;
	bool creates;
	/* endedAtZ goes with endedAt, except that an update which clears the one leaves the other,
	 * as the reference does it. */
	bool ended_z_given;
	struct datum ended_z;
	uint64_t given;   /* columns with a value */
	uint64_t cleared; /* columns to be set to null */
	size_t place;     /* among the writes of a turn */
	struct span_write *next;
};

static inline const struct datum *span_value(const struct span_write *write, unsigned column)
{
	return &write->items[column - write->first];
}

enum span_kind span_kind(unsigned column);

extern const char *const span_entity_types[];

/* An array<string> as a JSON text, flagged if it needs a repair. */
struct datum span_texts_json(struct arena *arena, const struct datum *texts);

/* Reads the commands of one turn. */
struct span_reader {
	struct context *ctx;
	struct call *call;
	/* The last list of names to clear and what it came to: lists repeat from span to span. */
	const struct datum *names;
	uint64_t named;
};

/* From CreateSpanRecord; from an update's UpdateSpanRecord. False: the call has failed. */
bool span_read_create(struct span_reader *reader, const struct datum *record,
	const struct type *type, struct span_write *out) __attribute__((warn_unused_result));
bool span_read_update(struct span_reader *reader, const struct datum *trace_id,
	const struct datum *span_id, const struct datum *updates, const struct type *type,
	struct span_write *out) __attribute__((warn_unused_result));

/* `later` after `earlier`, both of the same span, as one write in its place: what is given
 * later wins. */
void span_merge(struct arena *arena, struct span_write *earlier, const struct span_write *later);

#endif
