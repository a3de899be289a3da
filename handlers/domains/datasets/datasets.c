/* datasets.c - datasets.createDataset and updateDataset: the commands that set a dataset's schemas */
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/declared.h"
#include "handlers/core/reply.h"
#include "handlers/domains/datasets/fit.h"

/* --- createDataset --- */

static bool create_id_ok(struct context *ctx, struct call *call)
{
	const struct datum *id = datum_field(call->request, DATASETS_CREATE_DATASET__ID);

	if (datum_is_null(id) || id->size)
		return true;
	call_fail_at(ctx, call, "DATASET_INVALID_ID", "id", "must not be empty");
	return false;
}

static bool create_ok(struct context *ctx, struct call *call)
{
	return create_id_ok(ctx, call) &&
		fit_read(ctx, call,
			datum_field(call->request, DATASETS_CREATE_DATASET__INPUT_SCHEMA),
			datum_field(call->request, DATASETS_CREATE_DATASET__GROUND_TRUTH_SCHEMA));
}

void datasets_create(struct context *ctx)
{
	for (size_t i = 0; i < ctx->count; i++)
		(void)!create_ok(ctx, ctx->calls[i]);
	handle_folded(ctx);
}

/* --- updateDataset --- */

static void update_written(struct context *ctx, const struct rows *rows, void *arg)
{
	declared_reply(ctx, arg, rows, 0, rows_count(rows));
}

static void update_locked(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;

	if (!rows_count(rows)) {
		reply_missing(ctx, call);
		return;
	}
	struct datum input = fit_column(rows, "inputSchema");
	struct datum truth = fit_column(rows, "groundTruthSchema");
	if ((rows_bool(rows, 0, rows_column(rows, "changed")) &&
		    !fit_read(ctx, call, &input, &truth)) ||
		!declared_bind(ctx, call, SQL_DATASETS_UPDATE_DATASET__WRITE, NULL))
		return;
	context_send(ctx, SQL_DATASETS_UPDATE_DATASET__WRITE, update_written, call);
}

void datasets_update(struct context *ctx)
{
	struct call *call = ctx->calls[0];

	if (declared_words_ok(ctx, call) &&
		declared_bind(ctx, call, SQL_DATASETS_UPDATE_DATASET__LOCK, NULL))
		context_send(ctx, SQL_DATASETS_UPDATE_DATASET__LOCK, update_locked, call);
}
