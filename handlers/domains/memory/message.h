/*
 * message.h - errors that the commands about messages share
 */
#ifndef HANDLERS_DOMAINS_MEMORY_MESSAGE_H
#define HANDLERS_DOMAINS_MEMORY_MESSAGE_H

#include "handlers/core/context.h"

/* Fails the call with THREAD_NOT_FOUND for the thread of that id. */
void memory_thread_missing(struct context *ctx, struct call *call, const struct datum *thread_id);

/* Can a reply hold a message whose content is returned with `size` bytes? Else the call fails with
 * MESSAGE_TOO_LARGE, because nothing could read the message back. */
bool message_size_ok(struct context *ctx, struct call *call, size_t size);

#endif
