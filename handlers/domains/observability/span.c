/* span.c - checks the columns that a command writes to a span, and merges writes */
#include "handlers/domains/observability/span.h"

#include "handlers/core/binding.h"
#include "schemas/json/json.h"

/* The column that is the first field of UpdateSpanRecord. */
#define UPDATE_FIRST OBSERVABILITY_CREATE_SPAN_RECORD__NAME
#define REQUIRED_END OBSERVABILITY_CREATE_SPAN_RECORD__PARENT_SPAN_ID
#define ENDED_AT OBSERVABILITY_CREATE_SPAN_RECORD__ENDED_AT

_Static_assert(OBSERVABILITY_UPDATE_SPAN_RECORD__NAME + UPDATE_FIRST ==
		OBSERVABILITY_CREATE_SPAN_RECORD__NAME,
	"columns of an update");
_Static_assert(OBSERVABILITY_UPDATE_SPAN_RECORD__CLEAR + UPDATE_FIRST == SPAN_COLUMNS,
	"columns of an update");
_Static_assert(SPAN_COLUMNS <= 64, "a column is a bit");

/* Columns that are not listed are text. */
static const uint8_t span_kinds[SPAN_COLUMNS] = {
	[OBSERVABILITY_CREATE_SPAN_RECORD__IS_EVENT] = SPAN_BOOL,
	[OBSERVABILITY_CREATE_SPAN_RECORD__STARTED_AT] = SPAN_TIME,
	[OBSERVABILITY_CREATE_SPAN_RECORD__SCOPE] = SPAN_JSON,
	[OBSERVABILITY_CREATE_SPAN_RECORD__METADATA] = SPAN_JSON,
	[OBSERVABILITY_CREATE_SPAN_RECORD__TAGS] = SPAN_TEXTS,
	[OBSERVABILITY_CREATE_SPAN_RECORD__ATTRIBUTES] = SPAN_JSON,
	[OBSERVABILITY_CREATE_SPAN_RECORD__LINKS] = SPAN_JSONS,
	[OBSERVABILITY_CREATE_SPAN_RECORD__INPUT] = SPAN_JSON,
	[OBSERVABILITY_CREATE_SPAN_RECORD__OUTPUT] = SPAN_JSON,
	[OBSERVABILITY_CREATE_SPAN_RECORD__ERROR] = SPAN_JSON,
	[OBSERVABILITY_CREATE_SPAN_RECORD__ENDED_AT] = SPAN_TIME,
	[OBSERVABILITY_CREATE_SPAN_RECORD__REQUEST_CONTEXT] = SPAN_JSON,
};

enum span_kind span_kind(unsigned column)
{
	return (enum span_kind)span_kinds[column];
}

/* ---------------------------------------------------------------- values */

struct datum span_texts_json(struct arena *arena, const struct datum *texts)
{
	struct json_text out = json_text_new(arena);
	unsigned flags = 0;

	json_text_puts(&out, "[");
	for (uint32_t i = 0; i < texts->size; i++) {
		const struct datum *text = &texts->items[i];
		json_text_comma(&out);
		json_text_string(&out, text->text, text->size);
		if (text->size && memchr(text->text, 0, text->size))
			flags = DATUM_JSON_REPAIR;
	}
	json_text_puts(&out, "]");
	struct datum json = json_datum(json_text_end(&out));
	json.flags = flags;
	return json;
}

static struct datum span_jsons_json(struct arena *arena, const struct datum *items)
{
	struct json_text out = json_text_new(arena);
	unsigned flags = 0;

	json_text_puts(&out, "[");
	for (uint32_t i = 0; i < items->size; i++) {
		json_text_comma(&out);
		json_text_add(&out, items->items[i].text, items->items[i].size);
		flags |= items->items[i].flags;
	}
	json_text_puts(&out, "]");
	struct datum json = json_datum(json_text_end(&out));
	json.flags = flags;
	return json;
}

/* Gives the write a copy of its columns, so that it can replace one. */
static struct datum *span_own_items(struct arena *arena, struct span_write *write)
{
	size_t count = SPAN_COLUMNS - write->first;
	struct datum *items = arena_alloc(arena, count * sizeof(*items));

	memcpy(items, write->items, count * sizeof(*items));
	write->items = items;
	return items;
}

/* Reads a JSON text. The JSON null clears the column. */
static bool span_read_json(struct span_reader *reader, struct span_write *write, unsigned column,
	const struct datum *json, const char *name)
{
	struct context *ctx = reader->ctx;
	struct datum ready;

	if (!binding_json(ctx, reader->call, json, name, &ready))
		return false;
	if (json_kind(json_of(&ready)) == JSON_NULL_KIND) {
		write->cleared |= SPAN_BIT(column);
		ready = datum_null();
	} else {
		write->given |= SPAN_BIT(column);
	}
	if (ready.kind != DATUM_NULL && ready.text == span_value(write, column)->text)
		return true;
	span_own_items(ctx->arena, write)[column - write->first] = ready;
	return true;
}

/* Checks a value that is bound as it is. */
static bool span_value_ok(struct span_reader *reader, const struct datum *value, unsigned column,
	const char *name)
{
	struct context *ctx = reader->ctx;
	struct call *call = reader->call;

	switch (span_kind(column)) {
	case SPAN_TIME:
		return binding_time_ok(ctx, call, value, name);
	case SPAN_TEXT:
		return binding_text_ok(ctx, call, value, name);
	default:
		return true;
	}
}

static bool span_read_value(struct span_reader *reader, struct span_write *write, unsigned column,
	const char *name)
{
	const struct datum *value = span_value(write, column);
	struct datum json;

	switch (span_kind(column)) {
	case SPAN_JSON:
		return span_read_json(reader, write, column, value, name);
	case SPAN_TEXTS:
		json = span_texts_json(reader->ctx->arena, value);
		return span_read_json(reader, write, column, &json, name);
	case SPAN_JSONS:
		json = span_jsons_json(reader->ctx->arena, value);
		return span_read_json(reader, write, column, &json, name);
	default:
		write->given |= SPAN_BIT(column);
		return span_value_ok(reader, value, column, name);
	}
}

/* ---------------------------------------------------------------- columns to clear */

static bool span_same_names(const struct datum *a, const struct datum *b)
{
	if (a->size != b->size)
		return false;
	for (uint32_t i = 0; i < a->size; i++)
		if (!datum_equals(&a->items[i], &b->items[i]))
			return false;
	return true;
}

static bool span_read_names(struct span_reader *reader, const struct datum *names,
	const struct type *type, unsigned first, uint64_t *cleared)
{
	*cleared = 0;
	for (uint32_t i = 0; i < names->size; i++) {
		const struct datum *name = &names->items[i];
		int field = type_field_index(type, name->text, name->size);
		unsigned column = (unsigned)field + first;
		if (field < 0 || column < REQUIRED_END || column >= SPAN_COLUMNS) {
			call_fail(reader->ctx, reader->call, FAILURE_INVALID, "INVALID_CLEAR", NULL,
				"clear names %.*s, which is not a field of a span that can be null",
				(int)name->size, name->text);
			return false;
		}
		*cleared |= SPAN_BIT(column);
	}
	return true;
}

static bool span_read_cleared(struct span_reader *reader, struct span_write *write,
	const struct datum *names, const struct type *type)
{
	if (!names->size)
		return true;
	if (!reader->names || !span_same_names(names, reader->names)) {
		reader->names = NULL;
		if (!span_read_names(reader, names, type, write->first, &reader->named))
			return false;
		reader->names = names;
	}
	write->cleared |= reader->named;
	if (!(write->cleared & write->given))
		return true;
	call_fail(reader->ctx, reader->call, FAILURE_INVALID, "INVALID_CLEAR", NULL,
		"clear names a field that has a value");
	return false;
}

/* ---------------------------------------------------------------- a write */

static bool span_read_columns(struct span_reader *reader, struct span_write *write,
	const struct datum *record, const struct type *type)
{
	if (!binding_text_ok(reader->ctx, reader->call, write->trace_id, "traceId") ||
		!binding_text_ok(reader->ctx, reader->call, write->span_id, "spanId"))
		return false;
	write->items = record->items;
	for (unsigned column = UPDATE_FIRST; column < SPAN_COLUMNS; column++) {
		unsigned field = column - write->first;
		if (!datum_is_null(&record->items[field]) &&
			!span_read_value(reader, write, column, type->fields[field].name))
			return false;
	}
	return span_read_cleared(reader, write, &record->items[SPAN_COLUMNS - write->first], type);
}

bool span_read_create(struct span_reader *reader, const struct datum *record,
	const struct type *type, struct span_write *out)
{
	*out = (struct span_write){
		.trace_id = datum_field(record, OBSERVABILITY_CREATE_SPAN_RECORD__TRACE_ID),
		.span_id = datum_field(record, OBSERVABILITY_CREATE_SPAN_RECORD__SPAN_ID),
		.creates = true,
		.ended_z_given = true,
	};
	if (!span_read_columns(reader, out, record, type))
		return false;
	/* The reference treats the end of a created span as given, even if it is missing. */
	if (!(out->given & SPAN_BIT(ENDED_AT)))
		out->cleared |= SPAN_BIT(ENDED_AT);
	out->ended_z = *span_value(out, ENDED_AT);
	return true;
}

bool span_read_update(struct span_reader *reader, const struct datum *trace_id,
	const struct datum *span_id, const struct datum *updates, const struct type *type,
	struct span_write *out)
{
	*out = (struct span_write){
		.trace_id = trace_id,
		.span_id = span_id,
		.first = UPDATE_FIRST,
	};
	if (!span_read_columns(reader, out, updates, type))
		return false;
	out->ended_z_given = out->given & SPAN_BIT(ENDED_AT);
	out->ended_z = *span_value(out, ENDED_AT);
	return true;
}

void span_merge(struct arena *arena, struct span_write *earlier, const struct span_write *later)
{
	struct datum *items = span_own_items(arena, earlier);
	uint64_t touched = later->given | later->cleared;

	for (unsigned column = UPDATE_FIRST; column < SPAN_COLUMNS; column++)
		if (touched & SPAN_BIT(column))
			items[column - earlier->first] = *span_value(later, column);
	earlier->given = (earlier->given & ~touched) | later->given;
	earlier->cleared = (earlier->cleared & ~touched) | later->cleared;
	if (later->ended_z_given) {
		earlier->ended_z_given = true;
		earlier->ended_z = later->ended_z;
	}
}
