/*
 * paging.h - `page` and `perPage` of the list methods, with the reference's rules
 *
 * Pages count from 0. A perPage of -1 stands for the reference's `false`: one page with all rows,
 * whose offset is 0 whatever `page` says.
 */
#ifndef HANDLERS_CORE_PAGING_H
#define HANDLERS_CORE_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "handlers/core/context.h"

struct paging {
	int32_t page;
	bool all;         /* no limit: perPage is -1 */
	int64_t per_page; /* INT64_MAX if `all` */
	int64_t offset;   /* rows before the page */
};

/* Would paging_read accept the two fields? */
bool paging_valid(const struct datum *page, const struct datum *per_page);

/* Reads the two fields, each of which may be null. False: the call has failed with INVALID_PAGE. */
bool paging_read(struct context *ctx, struct call *call, const struct datum *page,
	const struct datum *per_page, int32_t default_per_page, struct paging *out)
	__attribute__((warn_unused_result));

/* Checks what only some methods reject: `all` with a page other than 0, and an offset beyond
 * Number.MAX_SAFE_INTEGER. False: the call has failed with INVALID_PAGE. */
bool paging_strict(struct context *ctx, struct call *call, const struct paging *paging)
	__attribute__((warn_unused_result));

/* perPage for the reply: -1 if `all`. */
struct datum paging_per_page(const struct paging *paging);

/* Do rows follow this page, if there are `total` in all? */
bool paging_has_more(const struct paging *paging, int64_t total);

/* Appends the int8 of LIMIT, NULL if `all`. */
void bind_limit(struct params *params, const struct paging *paging);

/* Appends two parameters: the int8 of LIMIT (NULL if `all`), then the int8 of OFFSET. */
void bind_paging(struct params *params, const struct paging *paging);

#endif
