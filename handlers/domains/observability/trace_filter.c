/* trace_filter.c - checks and binds the conditions of the filter of listTraces */
#include "handlers/domains/observability/trace_filter.h"

#include "commands.gen.h"
#include "fields.gen.h"
#include "handlers/core/binding.h"
#include "handlers/core/choice.h"
#include "handlers/domains/observability/span.h"
#include "schemas/json/json.h"

static const char *const trace_filter_statuses[] = { "success", "error", "running", NULL };

/* ---------------------------------------------------------------- checks */

/* What a null does that the command gives for a field. The reference's schema refuses some, its
 * query compares some with = NULL, and it ignores the others. */
enum trace_filter_null {
	NULL_REFUSED,
	NULL_MATCHES_NONE,
	NULL_IGNORED,
};

static const uint8_t trace_filter_nulls[OBSERVABILITY_TRACES_FILTER_SIZE] = {
	[OBSERVABILITY_TRACES_FILTER__ENTITY_TYPE] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__ENTITY_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__ENTITY_NAME] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__PARENT_ENTITY_TYPE] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__PARENT_ENTITY_ID] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__PARENT_ENTITY_NAME] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__ROOT_ENTITY_TYPE] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__ROOT_ENTITY_ID] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__ROOT_ENTITY_NAME] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__USER_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__ORGANIZATION_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__RESOURCE_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__RUN_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__SESSION_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__THREAD_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__REQUEST_ID] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__ENVIRONMENT] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__SERVICE_NAME] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__SCOPE] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__ENTITY_VERSION_ID] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__PARENT_ENTITY_VERSION_ID] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__ROOT_ENTITY_VERSION_ID] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__EXPERIMENT_ID] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__SOURCE] = NULL_MATCHES_NONE,
	[OBSERVABILITY_TRACES_FILTER__METADATA] = NULL_IGNORED,
	[OBSERVABILITY_TRACES_FILTER__TAGS] = NULL_IGNORED,
};

/* Columns that the statements compare for equality, in the order of their parameters. The
 * reference ignores the filter's other fields (traceId, the entities of parent and root,
 * versions, the experiment), and so do the statements. */
static const unsigned trace_filter_equals[] = {
	OBSERVABILITY_TRACES_FILTER__SPAN_TYPE,
	OBSERVABILITY_TRACES_FILTER__ENTITY_TYPE,
	OBSERVABILITY_TRACES_FILTER__ENTITY_ID,
	OBSERVABILITY_TRACES_FILTER__ENTITY_NAME,
	OBSERVABILITY_TRACES_FILTER__USER_ID,
	OBSERVABILITY_TRACES_FILTER__ORGANIZATION_ID,
	OBSERVABILITY_TRACES_FILTER__RESOURCE_ID,
	OBSERVABILITY_TRACES_FILTER__RUN_ID,
	OBSERVABILITY_TRACES_FILTER__SESSION_ID,
	OBSERVABILITY_TRACES_FILTER__THREAD_ID,
	OBSERVABILITY_TRACES_FILTER__REQUEST_ID,
	OBSERVABILITY_TRACES_FILTER__ENVIRONMENT,
	OBSERVABILITY_TRACES_FILTER__SOURCE,
	OBSERVABILITY_TRACES_FILTER__SERVICE_NAME,
};
#define TRACE_FILTER_EQUALS (sizeof(trace_filter_equals) / sizeof(trace_filter_equals[0]))

static bool trace_filter_nulls_ok(struct context *ctx, struct call *call,
	const struct datum *filters, const struct type *type, bool *none)
{
	const struct datum *names = datum_field(filters, OBSERVABILITY_TRACES_FILTER__IS_NULL);

	for (uint32_t i = 0; i < names->size; i++) {
		const struct datum *name = &names->items[i];
		int field = type_field_index(type, name->text, name->size);
		if (field < 0 || trace_filter_nulls[field] == NULL_REFUSED) {
			call_fail(ctx, call, FAILURE_INVALID, "INVALID_IS_NULL", NULL,
				"isNull names %.*s, which is not a filter that can be null",
				(int)name->size, name->text);
			return false;
		}
		*none |= trace_filter_nulls[field] == NULL_MATCHES_NONE;
	}
	return true;
}

static bool trace_filter_object_ok(struct context *ctx, struct call *call, const struct datum *json,
	const char *name)
{
	enum json_kind kind = json_kind(json_of(json));

	if (kind == JSON_ABSENT || kind == JSON_OBJECT_KIND || kind == JSON_NULL_KIND)
		return true;
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_FILTER", NULL, "%s must be an object", name);
	return false;
}

bool trace_filter_ok(struct context *ctx, struct call *call, const struct datum *filters,
	const struct type *type, bool *none)
{
	return choice_ok(ctx, call, datum_field(filters, OBSERVABILITY_TRACES_FILTER__STATUS),
		       trace_filter_statuses, "INVALID_STATUS", "filters.status") &&
		trace_filter_nulls_ok(ctx, call, filters, type, none) &&
		trace_filter_object_ok(ctx, call,
			datum_field(filters, OBSERVABILITY_TRACES_FILTER__SCOPE),
			"filters.scope") &&
		trace_filter_object_ok(ctx, call,
			datum_field(filters, OBSERVABILITY_TRACES_FILTER__METADATA),
			"filters.metadata");
}

/* ---------------------------------------------------------------- binding */

static bool trace_filter_bind_range(struct context *ctx, struct call *call,
	const struct datum *range, const char *name)
{
	const struct datum none = datum_null(), *start = &none, *end = &none;

	if (!datum_is_null(range)) {
		start = datum_field(range, OBSERVABILITY_DATE_RANGE__START);
		end = datum_field(range, OBSERVABILITY_DATE_RANGE__END);
	}
	return bind_typed(ctx, call, start, "timestamptz", name) &&
		bind_typed(ctx, call, end, "timestamptz", name);
}

/* Binds what a jsonb column must contain; null and [] are no condition. */
static bool trace_filter_bind_contained(struct context *ctx, struct call *call,
	const struct datum *json, const char *name)
{
	struct datum ready;

	if (!binding_json(ctx, call, json, name, &ready))
		return false;
	if (json_kind(json_of(&ready)) == JSON_NULL_KIND)
		ready = datum_null();
	bind_jsonb(ctx->params, &ready);
	return true;
}

static bool trace_filter_bind_tags(struct context *ctx, struct call *call, const struct datum *tags)
{
	const struct datum none = datum_null();

	if (datum_is_null(tags) || !tags->size)
		return trace_filter_bind_contained(ctx, call, &none, "filters.tags");
	struct datum json = span_texts_json(ctx->arena, tags);
	return trace_filter_bind_contained(ctx, call, &json, "filters.tags");
}

static bool trace_filter_bind_conditions(struct context *ctx, struct call *call,
	const struct datum *filters, const struct type *type)
{
	if (!trace_filter_bind_range(ctx, call,
		    datum_field(filters, OBSERVABILITY_TRACES_FILTER__STARTED_AT),
		    "filters.startedAt") ||
		!trace_filter_bind_range(ctx, call,
			datum_field(filters, OBSERVABILITY_TRACES_FILTER__ENDED_AT),
			"filters.endedAt"))
		return false;
	for (size_t i = 0; i < TRACE_FILTER_EQUALS; i++)
		if (!bind_typed(ctx, call, datum_field(filters, trace_filter_equals[i]), "text",
			    type->fields[trace_filter_equals[i]].name))
			return false;
	return trace_filter_bind_contained(ctx, call,
		       datum_field(filters, OBSERVABILITY_TRACES_FILTER__SCOPE), "filters.scope") &&
		trace_filter_bind_contained(ctx, call,
			datum_field(filters, OBSERVABILITY_TRACES_FILTER__METADATA),
			"filters.metadata") &&
		trace_filter_bind_tags(ctx, call,
			datum_field(filters, OBSERVABILITY_TRACES_FILTER__TAGS)) &&
		bind_typed(ctx, call, datum_field(filters, OBSERVABILITY_TRACES_FILTER__STATUS),
			"text", "filters.status") &&
		bind_typed(ctx, call,
			datum_field(filters, OBSERVABILITY_TRACES_FILTER__HAS_CHILD_ERROR), "bool",
			"filters.hasChildError");
}

bool trace_filter_bind(struct context *ctx, struct call *call)
{
	const struct datum *filters = datum_field(call->request,
		OBSERVABILITY_LIST_TRACES__FILTERS);
	const int conditions = 4 + (int)TRACE_FILTER_EQUALS + 5;

	if (datum_is_null(filters)) {
		for (int i = 0; i < conditions; i++)
			params_null(ctx->params);
		return true;
	}
	if (trace_filter_bind_conditions(ctx, call, filters,
		    call->request_type->fields[OBSERVABILITY_LIST_TRACES__FILTERS].type))
		return true;
	params_reset(ctx->params);
	return false;
}
