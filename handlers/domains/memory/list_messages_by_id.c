/* list_messages_by_id.c - memory.listMessagesById */
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/domains/memory/message_list.h"
#include "handlers/domains/memory/message_read.h"

static void list_messages_by_id_found(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	struct message_list *list = message_list_new(ctx->arena);

	for (int i = 0; i < rows_count(rows); i++) {
		struct datum message = message_of_row(ctx, rows, i);
		message_list_add(list, &message);
	}
	struct datum messages = message_list_result(list);
	call_reply(ctx, call, datum_record(&messages, MEMORY_MESSAGE_LIST_SIZE));
}

void memory_list_messages_by_id(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *ids = datum_field(call->request,
		MEMORY_LIST_MESSAGES_BY_ID__MESSAGE_IDS);

	for (uint32_t i = 0; i < ids->size; i++)
		if (!binding_text_ok(ctx, call, &ids->items[i], "messageIds"))
			return;
	bind_texts(ctx->params, ids);
	context_send(ctx, SQL_MEMORY_LIST_MESSAGES_BY_ID, list_messages_by_id_found, call);
}
