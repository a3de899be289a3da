/* read.c - observability.getSpan, getRootSpan, getTrace, getBranch and batchDeleteTraces */
#include "handlers/domains/observability/read.h"

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"

struct datum span_status(const struct datum *error, const struct datum *ended_at)
{
	if (!datum_is_null(error))
		return datum_string("error");
	return datum_string(datum_is_null(ended_at) ? "running" : "success");
}

/* ---------------------------------------------------------------- a span */

/* Replies {span}, or null without a row. */
static void read_reply_span(struct context *ctx, const struct rows *rows, struct call *call)
{
	const struct type *type = reply_result_type(call)->fields[0].type;

	if (!rows_count(rows)) {
		call_reply_null(ctx, call);
		return;
	}
	struct datum spans = stored_rows(ctx, rows, type);
	call_reply(ctx, call, datum_record(&spans.items[0], 1));
}

static void read_span(struct context *ctx, const struct rows *rows, void *arg)
{
	read_reply_span(ctx, rows, arg);
}

void observability_get_span(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *trace_id = datum_field(call->request, OBSERVABILITY_GET_SPAN__TRACE_ID);
	const struct datum *span_id = datum_field(call->request, OBSERVABILITY_GET_SPAN__SPAN_ID);

	if (!binding_text_ok(ctx, call, trace_id, "traceId") ||
		!binding_text_ok(ctx, call, span_id, "spanId"))
		return;
	bind_text(ctx->params, trace_id);
	bind_text(ctx->params, span_id);
	context_send(ctx, call->command->statement, read_span, call);
}

static void read_root(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;

	if (rows_count(rows) > 1)
		call_fail(ctx, call, FAILURE_CONFLICT, "SEVERAL_ROOT_SPANS", NULL,
			"The trace has more than one span without a parent");
	else
		read_reply_span(ctx, rows, call);
}

/* Sends the command's statement with traceId as its only parameter. */
static void read_send_trace(struct context *ctx, context_result_fn *done)
{
	struct call *call = ctx->calls[0];
	const struct datum *trace_id = binding_path(call, "traceId", NULL);

	if (!binding_text_ok(ctx, call, trace_id, "traceId"))
		return;
	bind_text(ctx->params, trace_id);
	context_bound(ctx, call);
	context_send(ctx, call->command->statement, done, call);
}

void observability_get_root_span(struct context *ctx)
{
	read_send_trace(ctx, read_root);
}

/* ---------------------------------------------------------------- a trace */

/* Replies {traceId, spans}, or null without a span. */
static void read_trace(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	const struct type *spans =
		reply_result_type(call)->fields[OBSERVABILITY_GET_TRACE_RESPONSE__SPANS].type;
	struct datum fields[OBSERVABILITY_GET_TRACE_RESPONSE_SIZE];

	if (!rows_count(rows)) {
		call_reply_null(ctx, call);
		return;
	}
	fields[OBSERVABILITY_GET_TRACE_RESPONSE__TRACE_ID] = *binding_path(call, "traceId", NULL);
	fields[OBSERVABILITY_GET_TRACE_RESPONSE__SPANS] = stored_rows(ctx, rows, spans->item);
	call_reply(ctx, call, datum_record(fields, OBSERVABILITY_GET_TRACE_RESPONSE_SIZE));
}

void observability_get_trace(struct context *ctx)
{
	read_send_trace(ctx, read_trace);
}

static bool read_branch_ok(struct context *ctx, struct call *call, const struct datum *trace_id,
	const struct datum *span_id, const struct datum *depth)
{
	if (!trace_id->size || !span_id->size) {
		call_fail(ctx, call, FAILURE_INVALID, "ID_REQUIRED", NULL,
			"traceId and spanId must not be empty");
		return false;
	}
	if (!datum_is_null(depth) && depth->integer < 0) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_DEPTH", NULL, "depth must be >= 0");
		return false;
	}
	return binding_text_ok(ctx, call, trace_id, "traceId") &&
		binding_text_ok(ctx, call, span_id, "spanId");
}

void observability_get_branch(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *trace_id = datum_field(call->request,
		OBSERVABILITY_GET_BRANCH__TRACE_ID);
	const struct datum *span_id = datum_field(call->request, OBSERVABILITY_GET_BRANCH__SPAN_ID);
	const struct datum *depth = datum_field(call->request, OBSERVABILITY_GET_BRANCH__DEPTH);

	if (!read_branch_ok(ctx, call, trace_id, span_id, depth))
		return;
	bind_text(ctx->params, trace_id);
	bind_text(ctx->params, span_id);
	if (datum_is_null(depth))
		params_null(ctx->params);
	else
		params_int4(ctx->params, (int32_t)depth->integer);
	context_bound(ctx, call);
	context_send(ctx, call->command->statement, read_trace, call);
}

/* ---------------------------------------------------------------- batchDeleteTraces */

void observability_batch_delete_traces(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	const struct datum *ids = datum_field(request,
		OBSERVABILITY_BATCH_DELETE_TRACES__TRACE_IDS);

	if (!datum_is_null(datum_field(request,
		    OBSERVABILITY_BATCH_DELETE_TRACES__ORGANIZATION_ID)) ||
		!datum_is_null(datum_field(request,
			OBSERVABILITY_BATCH_DELETE_TRACES__RESOURCE_ID))) {
		call_fail(ctx, call, FAILURE_UNSUPPORTED, "SCOPE_NOT_SUPPORTED", NULL,
			"batchDeleteTraces does not support organizationId and resourceId");
		return;
	}
	for (uint32_t i = 0; i < ids->size; i++)
		if (!binding_text_ok(ctx, call, &ids->items[i], "traceIds"))
			return;
	call_reply_null(ctx, call);
	bind_texts(ctx->params, ids);
	context_send(ctx, SQL_OBSERVABILITY_BATCH_DELETE_TRACES, NULL, NULL);
}
