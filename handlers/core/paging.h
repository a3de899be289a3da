/*
 * paging.h - `page` and `perPage` of the list methods
 *
 * As the reference: pages count from 0; perPage -1 stands for its `false`, all in one page,
 * whose offset is 0 whatever the page.
 */
#ifndef HANDLERS_CORE_PAGING_H
#define HANDLERS_CORE_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "handlers/core/context.h"

struct paging {
	int32_t page;
	bool all;         /* no limit */
	int64_t per_page; /* INT64_MAX of `all` */
	int64_t offset;
};

/* Reads both (nullable) fields. False: the call has failed with INVALID_PAGE. */
bool paging_read(struct context *ctx, struct call *call, const struct datum *page,
	const struct datum *per_page, int32_t default_per_page, struct paging *out)
	__attribute__((warn_unused_result));

/* Some methods refuse what others take: a page other than 0 of `all`, an offset that JavaScript
 * can't count. False: the call has failed. */
bool paging_strict(struct context *ctx, struct call *call, const struct paging *paging)
	__attribute__((warn_unused_result));

/* perPage as replies say it. */
struct datum paging_per_page(const struct paging *paging);

/* Is there anything behind this page? */
bool paging_has_more(const struct paging *paging, int64_t total);

/* Appends LIMIT and OFFSET, in this order. */
void bind_paging(struct params *params, const struct paging *paging);

#endif
