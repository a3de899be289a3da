/*
 * message.h - checks and errors that the commands about messages share
 */
#ifndef HANDLERS_DOMAINS_MEMORY_MESSAGE_H
#define HANDLERS_DOMAINS_MEMORY_MESSAGE_H

#include "handlers/core/context.h"

/* Is the role null or one that @mastra/core knows? Else the call fails with INVALID_ROLE. */
bool memory_role_ok(struct context *ctx, struct call *call, const struct datum *role);

/* Fails the call with THREAD_NOT_FOUND for the thread of that id. */
void memory_thread_missing(struct context *ctx, struct call *call, const struct datum *thread_id);

#endif
