/* workflows.c - the workflows domain: snapshots of workflow runs */
#include <stdlib.h>
#include <string.h>

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/choice.h"
#include "handlers/core/context.h"
#include "handlers/core/datum_json.h"
#include "handlers/core/paging.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"

/* Checks the two ids that every command but the list has. */
static bool workflows_ids_ok(struct context *ctx, struct call *call, const struct datum *workflow,
	const struct datum *run)
{
	return binding_text_ok(ctx, call, workflow, "workflowName") &&
		binding_text_ok(ctx, call, run, "runId");
}

/* ---------------------------------------------------------------- persistWorkflowSnapshot */

/* One call, or several calls for one run merged. */
struct snapshot_write {
	const struct datum *workflow;
	const struct datum *run;
	const struct datum *resource;
	struct datum snapshot;
	int64_t created_us;
	int64_t updated_us;
	size_t place; /* of the call in the context */
};

static int64_t workflows_time_or_now(const struct call *call, unsigned field)
{
	const struct datum *time = datum_field(call->request, field);
	return datum_is_null(time) ? call->now_us : time->integer * 1000;
}

/* Reads the request. False: the call has failed. */
static bool workflows_read_persist(struct context *ctx, struct call *call,
	struct snapshot_write *write)
{
	const struct datum *request = call->request;
	const struct datum *created = datum_field(request,
		WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT__CREATED_AT);
	const struct datum *updated = datum_field(request,
		WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT__UPDATED_AT);

	write->workflow = datum_field(request, WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT__WORKFLOW_NAME);
	write->run = datum_field(request, WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT__RUN_ID);
	write->resource = datum_field(request, WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT__RESOURCE_ID);
	write->created_us = workflows_time_or_now(call,
		WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT__CREATED_AT);
	write->updated_us = workflows_time_or_now(call,
		WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT__UPDATED_AT);
	return workflows_ids_ok(ctx, call, write->workflow, write->run) &&
		binding_text_ok(ctx, call, write->resource, "resourceId") &&
		binding_time_ok(ctx, call, created, "createdAt") &&
		binding_time_ok(ctx, call, updated, "updatedAt") &&
		binding_json(ctx, call,
			datum_field(request, WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT__SNAPSHOT),
			"snapshot", &write->snapshot);
}

static int workflows_compare_texts(const struct datum *a, const struct datum *b)
{
	size_t shorter = a->size < b->size ? a->size : b->size;
	int order = shorter ? memcmp(a->text, b->text, shorter) : 0;

	return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int workflows_compare_runs(const struct snapshot_write *a, const struct snapshot_write *b)
{
	int order = workflows_compare_texts(a->workflow, b->workflow);
	return order ? order : workflows_compare_texts(a->run, b->run);
}

static int workflows_compare_writes(const void *a, const void *b)
{
	const struct snapshot_write *one = a, *two = b;
	int order = workflows_compare_runs(one, two);

	return order ? order : (one->place > two->place) - (one->place < two->place);
}

/* Sorts the writes by run and merges the writes of each run. The effect equals running them one by
 * one: the first may create the row, the last one's snapshot stays. Returns how many remain. */
static size_t workflows_merge_writes(struct snapshot_write *writes, size_t count)
{
	size_t kept = 0;

	qsort(writes, count, sizeof(*writes), workflows_compare_writes);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || workflows_compare_runs(&writes[kept - 1], &writes[i]) != 0) {
			writes[kept++] = writes[i];
			continue;
		}
		struct snapshot_write *merged = &writes[kept - 1];
		merged->snapshot = writes[i].snapshot;
		merged->updated_us = writes[i].updated_us;
		if (!datum_is_null(writes[i].resource))
			merged->resource = writes[i].resource;
	}
	return kept;
}

static void workflows_bind_writes(struct params *params, const struct snapshot_write *writes,
	size_t count)
{
	int workflows = params_array(params, ELEMENT_TEXT);
	int runs = params_array(params, ELEMENT_TEXT);
	int resources = params_array(params, ELEMENT_TEXT);
	int snapshots = params_array(params, ELEMENT_JSONB);
	int created = params_array(params, ELEMENT_TIMESTAMPTZ);
	int updated = params_array(params, ELEMENT_TIMESTAMPTZ);

	for (size_t i = 0; i < count; i++) {
		bind_element_text(params, workflows, writes[i].workflow);
		bind_element_text(params, runs, writes[i].run);
		bind_element_text(params, resources, writes[i].resource);
		bind_element_jsonb(params, snapshots, &writes[i].snapshot);
		array_timestamp_us(params, created, writes[i].created_us);
		array_timestamp_us(params, updated, writes[i].updated_us);
	}
}

void workflows_persist_workflow_snapshot(struct context *ctx)
{
	struct snapshot_write *writes = arena_calloc(ctx->arena, ctx->count, sizeof(*writes));
	size_t count = 0;

	for (size_t i = 0; i < ctx->count; i++) {
		if (!workflows_read_persist(ctx, ctx->calls[i], &writes[count]))
			continue;
		writes[count++].place = i;
		call_reply_null(ctx, ctx->calls[i]);
	}
	if (count == 0)
		return;
	count = workflows_merge_writes(writes, count);
	workflows_bind_writes(ctx->params, writes, count);
	context_send(ctx, SQL_WORKFLOWS_PERSIST_WORKFLOW_SNAPSHOT, NULL, NULL);
}

/* ---------------------------------------------------------------- updateWorkflowResults */

static void workflows_results_updated(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;

	if (rows_count(rows) == 0)
		reply_missing(ctx, call);
	else
		call_reply(ctx, call, reply_value(ctx, rows, reply_result_type(call)));
}

void workflows_update_workflow_results(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	const struct datum *workflow = datum_field(request,
		WORKFLOWS_UPDATE_WORKFLOW_RESULTS__WORKFLOW_NAME);
	const struct datum *run = datum_field(request, WORKFLOWS_UPDATE_WORKFLOW_RESULTS__RUN_ID);
	const struct datum *step = datum_field(request, WORKFLOWS_UPDATE_WORKFLOW_RESULTS__STEP_ID);
	struct datum result, context;

	if (!workflows_ids_ok(ctx, call, workflow, run) ||
		!binding_text_ok(ctx, call, step, "stepId") ||
		!binding_json(ctx, call,
			datum_field(request, WORKFLOWS_UPDATE_WORKFLOW_RESULTS__RESULT), "result",
			&result) ||
		!binding_json(ctx, call,
			datum_field(request, WORKFLOWS_UPDATE_WORKFLOW_RESULTS__REQUEST_CONTEXT),
			"requestContext", &context))
		return;
	bind_text(ctx->params, workflow);
	bind_text(ctx->params, run);
	bind_text(ctx->params, step);
	bind_jsonb(ctx->params, &result);
	bind_jsonb(ctx->params, &context);
	params_timestamp_us(ctx->params, call->now_us);
	params_bool(ctx->params, call->wants_reply);
	context_send(ctx, SQL_WORKFLOWS_UPDATE_WORKFLOW_RESULTS, workflows_results_updated, call);
}

/* ---------------------------------------------------------------- updateWorkflowState */

/* Reads the options as JSON, without expectedStatus: that is a condition, not part of the state. */
static bool workflows_read_state(struct context *ctx, struct call *call, struct datum *state)
{
	const unsigned field = WORKFLOWS_UPDATE_WORKFLOW_STATE__OPTS;
	const struct type *type = call->request_type->fields[field].type;
	const struct datum *given = datum_field(call->request, field);
	struct datum *fields = arena_alloc(ctx->arena, type->field_count * sizeof(*fields));

	memcpy(fields, given->items, type->field_count * sizeof(*fields));
	fields[WORKFLOWS_UPDATE_WORKFLOW_STATE_OPTIONS__EXPECTED_STATUS] = datum_null();
	struct datum options = datum_record(fields, given->size);
	struct datum json = datum_to_json(ctx->arena, type, &options);
	return binding_json(ctx, call, &json, "opts", state);
}

/* Are the expected statuses known ones (WorkflowRunStatus of @mastra/core)? The change depends on them;
 * the status that it stores is only stored. */
static bool workflows_expected_ok(struct context *ctx, struct call *call,
	const struct datum *expected)
{
	static const char *const statuses[] = { "running", "success", "failed", "tripwire",
		"suspended", "waiting", "pending", "canceled", "bailed", "paused", "skipped",
		NULL };

	for (uint32_t i = 0; !datum_is_null(expected) && i < expected->size; i++)
		if (!choice_ok(ctx, call, &expected->items[i], statuses, "INVALID_STATUS",
			    "opts.expectedStatus"))
			return false;
	return true;
}

static void workflows_state_updated(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;
	const int readable = 0, snapshot = 1;
	size_t len = 0;

	if (rows_count(rows) && !rows_bool(rows, 0, readable)) {
		reply_missing(ctx, call);
	} else if (rows_count(rows) == 0 || rows_null(rows, 0, snapshot)) {
		call_reply_null(ctx, call);
	} else {
		const char *text = rows_text(rows, 0, snapshot, &len);
		call_reply(ctx, call, datum_text(text, (uint32_t)len));
	}
}

void workflows_update_workflow_state(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	const struct datum *workflow = datum_field(request,
		WORKFLOWS_UPDATE_WORKFLOW_STATE__WORKFLOW_NAME);
	const struct datum *run = datum_field(request, WORKFLOWS_UPDATE_WORKFLOW_STATE__RUN_ID);
	const struct datum *opts = datum_field(request, WORKFLOWS_UPDATE_WORKFLOW_STATE__OPTS);
	const struct datum *expected = datum_field(opts,
		WORKFLOWS_UPDATE_WORKFLOW_STATE_OPTIONS__EXPECTED_STATUS);
	struct datum state;

	if (!workflows_ids_ok(ctx, call, workflow, run) ||
		!workflows_expected_ok(ctx, call, expected) ||
		!workflows_read_state(ctx, call, &state))
		return;
	bind_text(ctx->params, workflow);
	bind_text(ctx->params, run);
	bind_jsonb(ctx->params, &state);
	bind_texts(ctx->params, expected);
	params_timestamp_us(ctx->params, call->now_us);
	params_bool(ctx->params, call->wants_reply);
	context_send(ctx, SQL_WORKFLOWS_UPDATE_WORKFLOW_STATE, workflows_state_updated, call);
}

/* ---------------------------------------------------------------- listWorkflowRuns */

struct run_list {
	struct call *call;
	int64_t total;
};

static void workflows_runs_counted(struct context *ctx, const struct rows *rows, void *arg)
{
	struct run_list *list = arg;

	(void)ctx;
	list->total = rows_integer(rows, 0, 0);
}

static void workflows_runs_read(struct context *ctx, const struct rows *rows, void *arg)
{
	const struct run_list *list = arg;
	const struct type *type = reply_result_type(list->call);
	const struct type *runs = type->fields[WORKFLOWS_WORKFLOW_RUNS__RUNS].type;
	struct datum fields[WORKFLOWS_WORKFLOW_RUNS_SIZE];

	fields[WORKFLOWS_WORKFLOW_RUNS__RUNS] = stored_rows(ctx, rows, runs->item);
	fields[WORKFLOWS_WORKFLOW_RUNS__TOTAL] = datum_integer(list->total ? list->total
									   : rows_count(rows));
	call_reply(ctx, list->call, datum_record(fields, WORKFLOWS_WORKFLOW_RUNS_SIZE));
}

/* Appends the parameters of the filter. False: the call has failed, and no parameters are left. */
static bool workflows_bind_filter(struct context *ctx, struct call *call)
{
	static const struct {
		unsigned field;
		const char *pg_type;
	} given[] = {
		{ WORKFLOWS_LIST_WORKFLOW_RUNS__WORKFLOW_NAME, "text" },
		{ WORKFLOWS_LIST_WORKFLOW_RUNS__STATUS, "text" },
		{ WORKFLOWS_LIST_WORKFLOW_RUNS__RESOURCE_ID, "text" },
		{ WORKFLOWS_LIST_WORKFLOW_RUNS__THREAD_ID, "text" },
		{ WORKFLOWS_LIST_WORKFLOW_RUNS__FROM_DATE, "timestamptz" },
		{ WORKFLOWS_LIST_WORKFLOW_RUNS__TO_DATE, "timestamptz" },
	};

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		if (!bind_typed(ctx, call, datum_field(call->request, given[i].field),
			    given[i].pg_type, call->request_type->fields[given[i].field].name)) {
			params_reset(ctx->params);
			return false;
		}
	}
	return true;
}

void workflows_list_workflow_runs(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *request = call->request;
	const struct datum *page = datum_field(request, WORKFLOWS_LIST_WORKFLOW_RUNS__PAGE);
	const struct datum *size = datum_field(request, WORKFLOWS_LIST_WORKFLOW_RUNS__PER_PAGE);
	struct run_list *list = arena_calloc(ctx->arena, 1, sizeof(*list));
	struct paging paging;

	list->call = call;
	if (!paging_read(ctx, call, page, size, 0, &paging) || !workflows_bind_filter(ctx, call))
		return;
	/* As in the reference, a size without a page, or a page without a size, lists all runs. */
	if (datum_is_null(page) || datum_is_null(size) || paging.all) {
		params_null(ctx->params);
		params_int8(ctx->params, 0);
	} else {
		context_send(ctx, SQL_WORKFLOWS_LIST_WORKFLOW_RUNS__COUNT, workflows_runs_counted,
			list);
		if (!workflows_bind_filter(ctx, call))
			return;
		bind_paging(ctx->params, &paging);
	}
	context_bound(ctx, call);
	context_send(ctx, SQL_WORKFLOWS_LIST_WORKFLOW_RUNS__PAGE, workflows_runs_read, list);
}
