/* message.c - errors of the commands about messages */
#include "handlers/domains/memory/message.h"

#include "schemas/json/json.h"

void memory_thread_missing(struct context *ctx, struct call *call, const struct datum *thread_id)
{
	struct json_text details = json_text_new(ctx->arena);

	json_text_puts(&details, "{");
	json_text_key(&details, "threadId", strlen("threadId"));
	json_text_string(&details, thread_id->text, thread_id->size);
	json_text_puts(&details, "}");
	call_fail(ctx, call, FAILURE_NOT_FOUND, "THREAD_NOT_FOUND", json_text_end(&details).text,
		"Thread %.*s not found", (int)thread_id->size, thread_id->text);
}

bool message_size_ok(struct context *ctx, struct call *call, size_t size)
{
	if (size <= ctx->settings->max_reply_bytes)
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "MESSAGE_TOO_LARGE", NULL,
		"the message would be returned with %zu bytes of content, but a reply has up to %zu "
		"(replies.maxBytes)",
		size, ctx->settings->max_reply_bytes);
	return false;
}
