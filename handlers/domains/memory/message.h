/*
 * message.h - what the commands about messages have in common
 */
#ifndef HANDLERS_DOMAINS_MEMORY_MESSAGE_H
#define HANDLERS_DOMAINS_MEMORY_MESSAGE_H

#include "handlers/core/context.h"

/* A role that core knows (or null); else the call fails. */
bool memory_role_ok(struct context *ctx, struct call *call, const struct datum *role);

/* The call fails with THREAD_NOT_FOUND. */
void memory_thread_missing(struct context *ctx, struct call *call, const struct datum *thread_id);

#endif
