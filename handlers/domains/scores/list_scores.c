/* list_scores.c - scores.getScoreById and the four lists of scores */
#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/choice.h"
#include "handlers/core/paging.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"

#define DEFAULT_PER_PAGE 100

/* ---------------------------------------------------------------- getScoreById */

static void scores_got_one(struct context *ctx, const struct rows *rows, void *arg)
{
	struct call *call = arg;

	if (rows_count(rows))
		call_reply(ctx, call, stored_rows(ctx, rows, reply_result_type(call)).items[0]);
	else
		call_reply_null(ctx, call);
}

void scores_get_score_by_id(struct context *ctx)
{
	struct call *call = ctx->calls[0];
	const struct datum *id = datum_field(call->request, SCORES_GET_SCORE_BY_ID__ID);

	if (!binding_text_ok(ctx, call, id, "id"))
		return;
	bind_text(ctx->params, id);
	context_send(ctx, SQL_SCORES_GET_SCORE_BY_ID, scores_got_one, call);
}

/* ---------------------------------------------------------------- the lists */

struct score_list {
	struct call *call;
	struct paging paging;
	int64_t total;
};

static void scores_reply_list(struct context *ctx, const struct score_list *list,
	struct datum scores)
{
	struct datum page[SCORES_PAGINATION_INFO_SIZE] = {
		[SCORES_PAGINATION_INFO__TOTAL] = datum_integer(list->total),
		[SCORES_PAGINATION_INFO__PAGE] = datum_integer(list->paging.page),
		[SCORES_PAGINATION_INFO__PER_PAGE] = paging_per_page(&list->paging),
		[SCORES_PAGINATION_INFO__HAS_MORE] = datum_boolean(paging_has_more(&list->paging,
			list->total)),
	};
	struct datum fields[SCORES_LIST_SCORES_RESPONSE_SIZE] = {
		[SCORES_LIST_SCORES_RESPONSE__PAGINATION] = datum_record(page,
			SCORES_PAGINATION_INFO_SIZE),
		[SCORES_LIST_SCORES_RESPONSE__SCORES] = scores,
	};

	call_reply(ctx, list->call, datum_record(fields, SCORES_LIST_SCORES_RESPONSE_SIZE));
}

static void scores_got_total(struct context *ctx, const struct rows *rows, void *arg)
{
	struct score_list *list = arg;

	(void)ctx;
	list->total = rows_integer(rows, 0, 0);
}

static void scores_got_page(struct context *ctx, const struct rows *rows, void *arg)
{
	const struct score_list *list = arg;
	const struct type *type = reply_result_type(list->call)
					  ->fields[SCORES_LIST_SCORES_RESPONSE__SCORES]
					  .type->item;

	scores_reply_list(ctx, list, stored_rows(ctx, rows, type));
}

/* Appends the request's texts, in the order of their declaration, then the tenant's two ids. False: the
 * call has failed, and no parameters are left. */
static bool scores_bind_conditions(struct context *ctx, struct call *call)
{
	const struct datum *tenant = binding_path(call, "filters", NULL), none = datum_null();
	const struct datum *organization = &none, *project = &none;
	bool fits = true;

	for (size_t i = 0; fits && i < call->request_type->field_count; i++) {
		const struct type_field *field = &call->request_type->fields[i];
		if (field->type->kind == TYPE_STRING)
			fits = bind_typed(ctx, call, &call->request->items[i], "text", field->name);
	}
	if (tenant) {
		organization = datum_field(tenant, SCORES_SCORE_TENANCY_FILTERS__ORGANIZATION_ID);
		project = datum_field(tenant, SCORES_SCORE_TENANCY_FILTERS__PROJECT_ID);
	}
	fits = fits && bind_typed(ctx, call, organization, "text", "filters.organizationId") &&
		bind_typed(ctx, call, project, "text", "filters.projectId");
	if (!fits)
		params_reset(ctx->params);
	return fits;
}

/* Reads filters.isNull. *none: the tenant has a null, which matches no score, as in the reference. */
static bool scores_read_nulls(struct context *ctx, struct call *call, bool *none)
{
	static const char *const nullable[] = { "organizationId", "projectId", NULL };
	const struct datum *names = binding_path(call, "filters.isNull", NULL);

	*none = names && names->size;
	for (uint32_t i = 0; names && i < names->size; i++)
		if (!choice_ok(ctx, call, &names->items[i], nullable, "INVALID_IS_NULL",
			    "filters.isNull"))
			return false;
	return true;
}

static bool scores_read_list(struct context *ctx, struct call *call, struct paging *paging,
	bool *none)
{
	const struct datum *given = binding_path(call, "pagination", NULL);

	return paging_read(ctx, call, datum_field(given, SCORES_PAGINATION__PAGE),
		       datum_field(given, SCORES_PAGINATION__PER_PAGE), DEFAULT_PER_PAGE, paging) &&
		scores_read_nulls(ctx, call, none);
}

/* The handler of all four lists. Each command's first statement counts, its second one reads a page. */
void scores_list_scores(struct context *ctx)
{
	struct score_list *list = arena_calloc(ctx->arena, 1, sizeof(*list));
	struct call *call = ctx->calls[0];
	bool none;

	list->call = call;
	if (!scores_read_list(ctx, call, &list->paging, &none))
		return;
	if (none) {
		scores_reply_list(ctx, list, datum_array(NULL, 0));
		return;
	}
	if (!scores_bind_conditions(ctx, call))
		return;
	context_send(ctx, call->command->statement, scores_got_total, list);
	if (!scores_bind_conditions(ctx, call))
		return;
	bind_paging(ctx->params, &list->paging);
	context_bound(ctx, call);
	context_send(ctx, call->command->statement + 1, scores_got_page, list);
}
