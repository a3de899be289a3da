/* paging.c - reads `page` and `perPage`, binds LIMIT and OFFSET */
#include "handlers/core/paging.h"

/* Number.MAX_SAFE_INTEGER */
#define SAFE_INTEGER INT64_C(9007199254740991)

static bool paging_refuse(struct context *ctx, struct call *call, const char *why)
{
	call_fail(ctx, call, FAILURE_INVALID, "INVALID_PAGE", NULL, "%s", why);
	return false;
}

bool paging_valid(const struct datum *page, const struct datum *per_page)
{
	return (datum_is_null(page) || page->integer >= 0) &&
		(datum_is_null(per_page) || per_page->integer >= -1);
}

bool paging_read(struct context *ctx, struct call *call, const struct datum *page,
	const struct datum *per_page, int32_t default_per_page, struct paging *out)
{
	int64_t number = datum_is_null(page) ? 0 : page->integer;
	int64_t size = datum_is_null(per_page) ? default_per_page : per_page->integer;

	if (number < 0)
		return paging_refuse(ctx, call, "page must be >= 0");
	if (size < -1)
		return paging_refuse(ctx, call, "perPage must be >= 0, or -1 for all");
	*out = (struct paging){
		.page = (int32_t)number,
		.all = size == -1,
		.per_page = size == -1 ? INT64_MAX : size,
		.offset = size == -1 ? 0 : number * size,
	};
	return true;
}

bool paging_strict(struct context *ctx, struct call *call, const struct paging *paging)
{
	if (paging->all && paging->page != 0)
		return paging_refuse(ctx, call, "page must be 0 when perPage is -1 (all)");
	if (paging->offset > SAFE_INTEGER)
		return paging_refuse(ctx, call, "page value too large");
	return true;
}

struct datum paging_per_page(const struct paging *paging)
{
	return datum_integer(paging->all ? -1 : paging->per_page);
}

bool paging_has_more(const struct paging *paging, int64_t total)
{
	return !paging->all && paging->offset + paging->per_page < total;
}

void bind_limit(struct params *params, const struct paging *paging)
{
	if (paging->all)
		params_null(params);
	else
		params_int8(params, paging->per_page);
}

void bind_paging(struct params *params, const struct paging *paging)
{
	bind_limit(params, paging);
	params_int8(params, paging->offset);
}
