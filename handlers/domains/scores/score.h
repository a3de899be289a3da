/*
 * score.h - checks that the commands about scores share
 */
#ifndef HANDLERS_DOMAINS_SCORES_SCORE_H
#define HANDLERS_DOMAINS_SCORES_SCORE_H

#include "handlers/core/context.h"

/* Is the source null (or NULL), LIVE or TEST? Else the call fails with INVALID_SOURCE. */
bool scores_source_ok(struct context *ctx, struct call *call, const struct datum *source);

#endif
