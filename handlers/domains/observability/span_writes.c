/* span_writes.c - reads createSpan, batchCreateSpans, updateSpan and batchUpdateSpans */
#include "handlers/domains/observability/span_writes.h"

#include <string.h>

#include "commands.gen.h"

static struct span_write *span_writes_add(struct span_writes *writes, struct context *ctx)
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

static bool span_writes_read_create(struct span_reader *reader, const struct datum *record,
	const struct type *type, struct span_writes *writes)
{
	struct span_write write;

	if (!span_read_create(reader, record, type, &write))
		return false;
	struct span_write *added = span_writes_add(writes, reader->ctx);
	write.place = added->place;
	*added = write;
	writes->created = type;
	return true;
}

/* An update without any value does nothing: it does not even set updatedAt. */
static bool span_writes_read_update(struct span_reader *reader, const struct datum *trace_id,
	const struct datum *span_id, const struct datum *updates, const struct type *type,
	struct span_writes *writes)
{
	struct span_write write;

	if (!span_read_update(reader, trace_id, span_id, updates, type, &write))
		return false;
	if (!(write.given | write.cleared))
		return true;
	struct span_write *added = span_writes_add(writes, reader->ctx);
	write.place = added->place;
	*added = write;
	return true;
}

static bool span_writes_read_creates(struct span_reader *reader, struct span_writes *writes)
{
	const struct datum *records = datum_field(reader->call->request,
		OBSERVABILITY_BATCH_CREATE_SPANS__RECORDS);
	const struct type *type = reader->call->request_type->fields[0].type->item;

	for (uint32_t i = 0; i < records->size; i++)
		if (!span_writes_read_create(reader, &records->items[i], type, writes))
			return false;
	return true;
}

static bool span_writes_read_updates(struct span_reader *reader, struct span_writes *writes)
{
	const struct datum *records = datum_field(reader->call->request,
		OBSERVABILITY_BATCH_UPDATE_SPANS__RECORDS);
	const struct type *type = reader->call->request_type->fields[0]
					  .type->item->fields[OBSERVABILITY_SPAN_UPDATE__UPDATES]
					  .type;

	for (uint32_t i = 0; i < records->size; i++) {
		const struct datum *record = &records->items[i];
		if (!span_writes_read_update(reader,
			    datum_field(record, OBSERVABILITY_SPAN_UPDATE__TRACE_ID),
			    datum_field(record, OBSERVABILITY_SPAN_UPDATE__SPAN_ID),
			    datum_field(record, OBSERVABILITY_SPAN_UPDATE__UPDATES), type, writes))
			return false;
	}
	return true;
}

bool span_writes_read(struct span_reader *reader, struct span_writes *writes)
{
	const struct datum *request = reader->call->request;
	const struct type *type = reader->call->request_type;

	switch (reader->call->command->id) {
	case COMMAND_ID_OBSERVABILITY_CREATE_SPAN:
		return span_writes_read_create(reader,
			datum_field(request, OBSERVABILITY_CREATE_SPAN__SPAN),
			type->fields[OBSERVABILITY_CREATE_SPAN__SPAN].type, writes);
	case COMMAND_ID_OBSERVABILITY_BATCH_CREATE_SPANS:
		return span_writes_read_creates(reader, writes);
	case COMMAND_ID_OBSERVABILITY_UPDATE_SPAN:
		return span_writes_read_update(reader,
			datum_field(request, OBSERVABILITY_UPDATE_SPAN__TRACE_ID),
			datum_field(request, OBSERVABILITY_UPDATE_SPAN__SPAN_ID),
			datum_field(request, OBSERVABILITY_UPDATE_SPAN__UPDATES),
			type->fields[OBSERVABILITY_UPDATE_SPAN__UPDATES].type, writes);
	default:
		return span_writes_read_updates(reader, writes);
	}
}
