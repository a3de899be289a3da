/* score.c - checks of the commands about scores */
#include "handlers/domains/scores/score.h"

#include "handlers/core/choice.h"

bool scores_source_ok(struct context *ctx, struct call *call, const struct datum *source)
{
	static const char *const sources[] = { "LIVE", "TEST", NULL };

	return choice_ok(ctx, call, source, sources, "INVALID_SOURCE", "source");
}
