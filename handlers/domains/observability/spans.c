/*
 * observability.createSpan, batchCreateSpans, updateSpan, batchUpdateSpans: the firehose.
 *
 * All four share a turn. Its writes are sorted by span, so that those of one span lie together
 * and are merged as if they had come one after the other: what updates before any create come
 * to is an update of a span that may be there; a create and all behind it are one upsert. Then
 * spans touch each other no more: the updates are sent first, then the upserts, each sorted by
 * key.
 *
 * The statements keep a column whose null was not given and store a null that was given; which
 * nulls are which is told once a statement. Writes that agree on that go together. Clients
 * give either no nulls at all or the same columns each time, so nearly always all agree.
 */
#include <endian.h>
#include <stdlib.h>

#include "commands.gen.h"
#include "handlers/core/binding.h"
#include "handlers/domains/observability/span.h"
#include "schemas/base/text.h"

#define ENDED_AT OBSERVABILITY_CREATE_SPAN_RECORD__ENDED_AT
#define STARTED_AT OBSERVABILITY_CREATE_SPAN_RECORD__STARTED_AT

/* Columns whose null may be a given one. */
#define NULLABLE \
	(SPAN_BIT(SPAN_COLUMNS) - SPAN_BIT(OBSERVABILITY_CREATE_SPAN_RECORD__PARENT_SPAN_ID))

/* From so many rows on a COPY is worth its round trips. */
#define COPY_ROWS_MIN 200
#define COPY_PIECE_BYTES (64 * 1024)

/* Writes that one statement serves, in the order of their keys. */
struct span_group {
	struct span_group *next;
	struct span_write *first;
	struct span_write *last;
	size_t count;
	uint64_t given;   /* by any of them */
	uint64_t cleared; /* by any of them */
	uint64_t kept;    /* by any of them: neither given nor cleared */
};

struct span_writes {
	const struct type *created; /* CreateSpanRecord's, of any create */
	struct span_write *list;
	size_t count;
	size_t room;
};

/* ---------------------------------------------------------------- reading the commands */

static struct span_write *add_write(struct span_writes *writes, struct context *ctx)
{
	if (writes->count == writes->room) {
		size_t room = writes->room * 2 + ctx->count;
		struct span_write *list = arena_alloc(ctx->arena, room * sizeof(*list));
		if (writes->count)
			memcpy(list, writes->list, writes->count * sizeof(*list));
		writes->list = list;
		writes->room = room;
	}
	writes->list[writes->count].place = writes->count;
	return &writes->list[writes->count++];
}

static bool read_create(struct span_reader *reader, const struct datum *record,
	const struct type *type, struct span_writes *writes)
{
	struct span_write write;

	if (!span_read_create(reader, record, type, &write))
		return false;
	struct span_write *added = add_write(writes, reader->ctx);
	write.place = added->place;
	*added = write;
	writes->created = type;
	return true;
}

/* An update of nothing does nothing: it does not even move updatedAt. */
static bool spans_read_update(struct span_reader *reader, const struct datum *trace_id,
	const struct datum *span_id, const struct datum *updates, const struct type *type,
	struct span_writes *writes)
{
	struct span_write write;

	if (!span_read_update(reader, trace_id, span_id, updates, type, &write))
		return false;
	if (!(write.given | write.cleared))
		return true;
	struct span_write *added = add_write(writes, reader->ctx);
	write.place = added->place;
	*added = write;
	return true;
}

static bool read_creates(struct span_reader *reader, struct span_writes *writes)
{
	const struct datum *records = datum_field(reader->call->request,
		OBSERVABILITY_BATCH_CREATE_SPANS__RECORDS);
	const struct type *type = reader->call->request_type->fields[0].type->item;

	for (uint32_t i = 0; i < records->size; i++)
		if (!read_create(reader, &records->items[i], type, writes))
			return false;
	return true;
}

static bool spans_read_updates(struct span_reader *reader, struct span_writes *writes)
{
	const struct datum *records = datum_field(reader->call->request,
		OBSERVABILITY_BATCH_UPDATE_SPANS__RECORDS);
	const struct type *type = reader->call->request_type->fields[0]
					  .type->item->fields[OBSERVABILITY_SPAN_UPDATE__UPDATES]
					  .type;

	for (uint32_t i = 0; i < records->size; i++) {
		const struct datum *record = &records->items[i];
		if (!spans_read_update(reader,
			    datum_field(record, OBSERVABILITY_SPAN_UPDATE__TRACE_ID),
			    datum_field(record, OBSERVABILITY_SPAN_UPDATE__SPAN_ID),
			    datum_field(record, OBSERVABILITY_SPAN_UPDATE__UPDATES), type, writes))
			return false;
	}
	return true;
}

static bool read_call(struct span_reader *reader, struct span_writes *writes)
{
	const struct datum *request = reader->call->request;
	const struct type *type = reader->call->request_type;

	switch (reader->call->command->id) {
	case COMMAND_ID_OBSERVABILITY_CREATE_SPAN:
		return read_create(reader, datum_field(request, OBSERVABILITY_CREATE_SPAN__SPAN),
			type->fields[OBSERVABILITY_CREATE_SPAN__SPAN].type, writes);
	case COMMAND_ID_OBSERVABILITY_BATCH_CREATE_SPANS:
		return read_creates(reader, writes);
	case COMMAND_ID_OBSERVABILITY_UPDATE_SPAN:
		return spans_read_update(reader,
			datum_field(request, OBSERVABILITY_UPDATE_SPAN__TRACE_ID),
			datum_field(request, OBSERVABILITY_UPDATE_SPAN__SPAN_ID),
			datum_field(request, OBSERVABILITY_UPDATE_SPAN__UPDATES),
			type->fields[OBSERVABILITY_UPDATE_SPAN__UPDATES].type, writes);
	default:
		return spans_read_updates(reader, writes);
	}
}

/* ---------------------------------------------------------------- one write a span */

/* The trace's first bytes as a number decide nearly every comparison. */
struct sorted_write {
	uint64_t prefix;
	struct span_write *write;
};

static uint64_t prefix_of(const struct datum *text)
{
	uint64_t prefix = 0;

	memcpy(&prefix, text->text, text->size < sizeof(prefix) ? text->size : sizeof(prefix));
	return be64toh(prefix);
}

static int spans_compare_texts(const struct datum *a, const struct datum *b)
{
	size_t shorter = a->size < b->size ? a->size : b->size;
	int order = shorter ? memcmp(a->text, b->text, shorter) : 0;

	return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare_spans(const struct span_write *a, const struct span_write *b)
{
	int order = spans_compare_texts(a->trace_id, b->trace_id);
	return order ? order : spans_compare_texts(a->span_id, b->span_id);
}

static int spans_compare_writes(const void *a, const void *b)
{
	const struct sorted_write *one = a, *two = b;

	if (one->prefix != two->prefix)
		return one->prefix < two->prefix ? -1 : 1;
	int order = compare_spans(one->write, two->write);
	return order
		? order
		: (one->write->place > two->write->place) - (one->write->place < two->write->place);
}

static struct sorted_write *sort_writes(struct context *ctx, const struct span_writes *writes)
{
	struct sorted_write *sorted = arena_alloc(ctx->arena, writes->count * sizeof(*sorted));

	for (size_t i = 0; i < writes->count; i++)
		sorted[i] = (struct sorted_write){
			.prefix = prefix_of(writes->list[i].trace_id),
			.write = &writes->list[i],
		};
	qsort(sorted, writes->count, sizeof(*sorted), spans_compare_writes);
	return sorted;
}

/* ---------------------------------------------------------------- writes that go together */

static bool group_takes(const struct span_group *group, uint64_t cleared, uint64_t kept)
{
	return !((group->cleared | cleared) & (group->kept | kept));
}

static void group_write(struct arena *arena, struct span_group **groups, struct span_write *write)
{
	uint64_t cleared = write->cleared;
	uint64_t kept = NULLABLE & ~(write->given | write->cleared);
	struct span_group **at = groups;

	while (*at && !group_takes(*at, cleared, kept))
		at = &(*at)->next;
	if (!*at)
		*at = arena_calloc(arena, 1, sizeof(**at));
	struct span_group *group = *at;
	group->count++;
	group->given |= write->given;
	group->cleared |= cleared;
	group->kept |= kept;
	if (group->last)
		group->last->next = write;
	else
		group->first = write;
	group->last = write;
}

/* What the writes of sorted[0..count), all of one span, come to. */
static void group_span(struct arena *arena, const struct sorted_write *sorted, size_t count,
	struct span_group **updates, struct span_group **creates)
{
	struct span_write *update = NULL, *create = NULL;

	for (size_t i = 0; i < count; i++) {
		struct span_write *write = sorted[i].write;
		if (create)
			span_merge(arena, create, write);
		else if (write->creates)
			create = write;
		else if (update)
			span_merge(arena, update, write);
		else
			update = write;
	}
	if (update)
		group_write(arena, updates, update);
	if (create)
		group_write(arena, creates, create);
}

static void group_spans(struct context *ctx, const struct span_writes *writes,
	struct span_group **updates, struct span_group **creates)
{
	const struct sorted_write *sorted = sort_writes(ctx, writes);
	size_t begin = 0;

	for (size_t i = 1; i <= writes->count; i++) {
		if (i < writes->count && compare_spans(sorted[begin].write, sorted[i].write) == 0)
			continue;
		group_span(ctx->arena, sorted + begin, i - begin, updates, creates);
		begin = i;
	}
}

/* ---------------------------------------------------------------- statements */

static void bind_ids(struct params *params, const struct span_group *group)
{
	int traces = params_array(params, ELEMENT_TEXT);
	int spans = params_array(params, ELEMENT_TEXT);

	for (const struct span_write *write = group->first; write; write = write->next) {
		bind_element_text(params, traces, write->trace_id);
		bind_element_text(params, spans, write->span_id);
	}
}

static void bind_element_bool(struct params *params, int array, const struct datum *value)
{
	if (datum_is_null(value))
		array_null(params, array);
	else
		array_bool(params, array, value->boolean);
}

static void bind_element_time(struct params *params, int array, const struct datum *value)
{
	if (datum_is_null(value))
		array_null(params, array);
	else
		array_timestamp_ms(params, array, value->integer);
}

static enum params_element element_of(unsigned column)
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

/* The column's value as the next element of an array, or the next field of a copied row. */
static void bind_value(struct params *params, int array, const struct span_write *write,
	unsigned column)
{
	const struct datum *value = span_value(write, column);

	switch (element_of(column)) {
	case ELEMENT_BOOL:
		bind_element_bool(params, array, value);
		break;
	case ELEMENT_TIMESTAMP:
		bind_element_time(params, array, value);
		break;
	case ELEMENT_JSONB:
		bind_element_jsonb(params, array, value);
		break;
	default:
		bind_element_text(params, array, value);
		break;
	}
}

static void bind_end(struct params *params, int array, const struct span_write *write)
{
	const struct datum none = datum_null();

	bind_element_time(params, array, write->ended_z_given ? &write->ended_z : &none);
}

/* Of a column without values the element type is all that counts. */
static void spans_bind_column(struct params *params, const struct span_group *group,
	unsigned column)
{
	int array = params_array(params, element_of(column));

	if (!(group->given & SPAN_BIT(column)))
		return;
	for (const struct span_write *write = group->first; write; write = write->next)
		bind_value(params, array, write, column);
}

/* startedAtZ and endedAtZ. */
static void bind_instants(struct params *params, const struct span_group *group)
{
	int starts = params_array(params, ELEMENT_TIMESTAMPTZ);
	int ends = params_array(params, ELEMENT_TIMESTAMPTZ);

	for (const struct span_write *write = group->first; write; write = write->next) {
		bind_element_time(params, starts, span_value(write, STARTED_AT));
		bind_end(params, ends, write);
	}
}

static void send_group(struct context *ctx, const struct span_group *group, int statement)
{
	struct params *params = ctx->params;

	bind_ids(params, group);
	for (unsigned column = OBSERVABILITY_CREATE_SPAN_RECORD__NAME; column < SPAN_COLUMNS;
		column++)
		spans_bind_column(params, group, column);
	bind_instants(params, group);
	int keeps = params_array(params, ELEMENT_BOOL);
	for (unsigned column = 0; column < SPAN_COLUMNS; column++)
		array_bool(params, keeps, !(group->cleared & SPAN_BIT(column)));
	context_send(ctx, statement, NULL, NULL);
}

/* Names the columns that any of the rows gives; the others stay null. */
static const char *copy_sql(struct context *ctx, const struct type *type, const unsigned *columns,
	size_t count)
{
	struct text sql = { 0 };

	text_add(&sql, "COPY :\"schema\".mastra_ai_spans (\"traceId\", \"spanId\", ");
	for (size_t i = 0; i < count; i++) {
		text_add_ident(&sql, type->fields[columns[i]].name);
		text_add(&sql, ", ");
	}
	text_add(&sql, "\"startedAtZ\", \"endedAtZ\") FROM STDIN (FORMAT binary)");
	const char *copy = arena_copy(ctx->arena, text_string(&sql), sql.len);
	text_free(&sql);
	return copy;
}

static size_t given_columns(const struct span_group *group, unsigned *columns)
{
	size_t count = 0;

	for (unsigned column = OBSERVABILITY_CREATE_SPAN_RECORD__NAME; column < SPAN_COLUMNS;
		column++)
		if (group->given & SPAN_BIT(column))
			columns[count++] = column;
	return count;
}

static void copy_span(struct params *params, int copy, const struct span_write *write,
	const unsigned *columns, size_t count)
{
	copy_row(params, copy, (int16_t)(count + 4));
	bind_element_text(params, copy, write->trace_id);
	bind_element_text(params, copy, write->span_id);
	for (size_t i = 0; i < count; i++)
		bind_value(params, copy, write, columns[i]);
	bind_element_time(params, copy, span_value(write, STARTED_AT));
	bind_end(params, copy, write);
}

/* False: a span is there already, none of them is in. */
static bool copy_group(struct context *ctx, const struct type *type, const struct span_group *group)
{
	unsigned columns[SPAN_COLUMNS];
	size_t count = given_columns(group, columns);

	if (group->count < COPY_ROWS_MIN ||
		!context_copy_begin(ctx, copy_sql(ctx, type, columns, count)))
		return false;
	int copy = params_copy(ctx->params);
	size_t size;
	for (const struct span_write *write = group->first; write; write = write->next) {
		copy_span(ctx->params, copy, write, columns, count);
		copy_bytes(ctx->params, copy, &size);
		if (size >= COPY_PIECE_BYTES)
			context_copy_rows(ctx, copy);
	}
	return context_copy_end(ctx, copy);
}

static void create_group(struct context *ctx, const struct type *type,
	const struct span_group *group)
{
	if (!copy_group(ctx, type, group))
		send_group(ctx, group, SQL_OBSERVABILITY_CREATE_SPAN__UPSERT);
}

void observability_write_spans(struct context *ctx)
{
	struct span_reader reader = { .ctx = ctx };
	struct span_writes writes = { .count = 0 };
	struct span_group *updates = NULL, *creates = NULL;

	for (size_t i = 0; i < ctx->count; i++) {
		size_t before = writes.count;
		reader.call = ctx->calls[i];
		if (read_call(&reader, &writes))
			call_reply_null(ctx, reader.call);
		else
			writes.count = before; /* all of a command's spans, or none */
	}
	if (!writes.count)
		return;
	group_spans(ctx, &writes, &updates, &creates);
	for (const struct span_group *group = updates; group; group = group->next)
		send_group(ctx, group, SQL_OBSERVABILITY_UPDATE_SPAN);
	for (const struct span_group *group = creates; group; group = group->next)
		create_group(ctx, writes.created, group);
}
