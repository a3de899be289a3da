/* order.c - reads `orderBy` */
#include "handlers/domains/memory/order.h"

#include <string.h>

#include "fields.gen.h"

static bool memory_order_is(const struct datum *text, const char *word)
{
	return text->size == strlen(word) && memcmp(text->text, word, text->size) == 0;
}

static bool memory_order_read_field(const struct datum *field, bool of_threads,
	struct memory_order *order)
{
	if (datum_is_null(field))
		return true;
	if (memory_order_is(field, "createdAt"))
		order->field = "createdAt";
	else if (of_threads && memory_order_is(field, "updatedAt"))
		order->field = "updatedAt";
	else
		return false;
	return true;
}

static bool memory_order_read_direction(const struct datum *direction, struct memory_order *order)
{
	if (datum_is_null(direction))
		return true;
	order->descending = memory_order_is(direction, "DESC");
	return order->descending || memory_order_is(direction, "ASC");
}

bool memory_order_read(struct context *ctx, struct call *call, const struct datum *order_by,
	bool of_threads, struct memory_order *order)
{
	if (datum_is_null(order_by))
		return true;
	if (!memory_order_read_field(datum_field(order_by, MEMORY_ORDER_BY__FIELD), of_threads,
		    order)) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_ORDER_BY", NULL,
			"orderBy.field must be one of %s",
			of_threads ? "createdAt, updatedAt" : "createdAt");
		return false;
	}
	if (!memory_order_read_direction(datum_field(order_by, MEMORY_ORDER_BY__DIRECTION),
		    order)) {
		call_fail(ctx, call, FAILURE_INVALID, "INVALID_ORDER_BY", NULL,
			"orderBy.direction must be one of ASC, DESC");
		return false;
	}
	return true;
}

const char *memory_order_direction(const struct memory_order *order)
{
	return order->descending ? "DESC" : "ASC";
}
