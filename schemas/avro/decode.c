/*
 * decode.c - decodes Avro's binary encoding into a datum
 *
 * The decoder recurses over the plan. Types are not recursive and nest up to TYPE_DEPTH_MAXIMUM
 * levels, so no message makes the recursion deeper.
 */
#include "schemas/avro/decode.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "schemas/avro/type_path.h"
#include "schemas/base/utf8.h"
#include "schemas/json/check.h"

struct decoder {
	const uint8_t *at;
	const uint8_t *end;
	size_t budget;  /* bytes left for datums */
	size_t spelled; /* bytes of all JSON texts, as jsonb writes them */
	const struct decode_limits *limits;
	struct arena *arena;
	struct decode_error *error;
	struct type_path path;
};

static bool decode_value(struct decoder *d, const struct plan *plan, struct datum *out);

__attribute__((cold, noinline, format(printf, 3, 4))) static bool decode_fail(struct decoder *d,
	const char *code, const char *format, ...)
{
	char where[128], reason[112];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	type_path_text(&d->path, where, sizeof(where));
	d->error->code = code;
	snprintf(d->error->message, sizeof(d->error->message), "%s%s%s", where, *where ? ": " : "",
		reason);
	return false;
}

static inline size_t decode_left(const struct decoder *d)
{
	return (size_t)(d->end - d->at);
}

static bool decode_truncated(struct decoder *d)
{
	return decode_fail(d, "TRUNCATED", "the message ends within this field");
}

static bool long_of_many_bytes(struct decoder *d, int64_t *out)
{
	uint64_t bits = 0;
	for (unsigned shift = 0; shift < 70; shift += 7) {
		if (d->at == d->end)
			return decode_truncated(d);
		uint8_t byte = *d->at++;
		if (shift == 63 && byte > 1)
			break;
		bits |= (uint64_t)(byte & 0x7F) << shift;
		if (byte < 0x80) {
			*out = (int64_t)((bits >> 1) ^ -(bits & 1));
			return true;
		}
	}
	return decode_fail(d, "BAD_NUMBER", "a number has more than 64 bits");
}

static inline bool read_long(struct decoder *d, int64_t *out)
{
	if (d->at < d->end && *d->at < 0x80) {
		unsigned bits = *d->at++;
		*out = (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
		return true;
	}
	return long_of_many_bytes(d, out);
}

static bool read_int(struct decoder *d, int64_t *out)
{
	if (!read_long(d, out))
		return false;
	return (*out >= INT32_MIN && *out <= INT32_MAX) ||
		decode_fail(d, "BAD_NUMBER", "%" PRId64 " does not fit in an int (32 bits)", *out);
}

static bool decode_boolean(struct decoder *d, struct datum *out)
{
	if (d->at == d->end)
		return decode_truncated(d);
	uint8_t byte = *d->at++;
	*out = datum_boolean(byte == 1);
	return byte <= 1 || decode_fail(d, "BAD_BOOLEAN", "the boolean is %u, not 0 or 1", byte);
}

/* Avro's floats and doubles are little-endian. */
static bool float_as_real(struct decoder *d, struct datum *out)
{
	uint32_t bits = 0;
	float number;
	if (decode_left(d) < sizeof(bits))
		return decode_truncated(d);
	for (unsigned i = 0; i < sizeof(bits); i++)
		bits |= (uint32_t)d->at[i] << (8 * i);
	d->at += sizeof(bits);
	memcpy(&number, &bits, sizeof(number));
	*out = datum_real((double)number);
	return true;
}

static bool double_as_real(struct decoder *d, struct datum *out)
{
	uint64_t bits = 0;
	double number;
	if (decode_left(d) < sizeof(bits))
		return decode_truncated(d);
	for (unsigned i = 0; i < sizeof(bits); i++)
		bits |= (uint64_t)d->at[i] << (8 * i);
	d->at += sizeof(bits);
	memcpy(&number, &bits, sizeof(number));
	*out = datum_real(number);
	return true;
}

static bool decode_bytes(struct decoder *d, struct datum *out)
{
	int64_t size;
	if (!read_long(d, &size))
		return false;
	if (size < 0)
		return decode_fail(d, "BAD_LENGTH", "has a negative length: %" PRId64 " bytes",
			size);
	if ((uint64_t)size > d->limits->string_bytes || size > UINT32_MAX)
		return decode_fail(d, "LENGTH_BEYOND_LIMIT",
			"has a length of %" PRId64 " bytes; the limit is %zu", size,
			d->limits->string_bytes);
	if ((uint64_t)size > decode_left(d))
		return decode_truncated(d);
	*out = datum_text((const char *)d->at, (uint32_t)size);
	d->at += size;
	return true;
}

static bool decode_text(struct decoder *d, struct datum *out)
{
	if (!decode_bytes(d, out))
		return false;
	/* A NUL is accepted here. The handler rejects or repairs it if a column can't hold it. */
	if (unicode_check(out->text, out->size) == UNICODE_BAD)
		return decode_fail(d, "BAD_UTF8", "the text is not valid UTF-8");
	return true;
}

static bool decode_json(struct decoder *d, struct datum *out)
{
	if (!decode_bytes(d, out))
		return false;
	struct json_check check = json_check(out->text, out->size, d->limits->json_depth);
	out->flags = check.repair ? DATUM_JSON_REPAIR : 0;
	switch (check.verdict) {
	case JSON_VALID:
		d->spelled += check.spelled;
		return d->spelled <= d->limits->message_bytes ||
			decode_fail(d, "LENGTH_BEYOND_LIMIT",
				"the JSON has %zu bytes as jsonb writes it; the limit is %zu",
				d->spelled, d->limits->message_bytes);
	case JSON_TOO_DEEP:
		return decode_fail(d, "DEPTH_BEYOND_LIMIT",
			"the JSON is nested more than %zu levels deep", d->limits->json_depth);
	case JSON_BAD_UTF8:
		return decode_fail(d, "BAD_UTF8", "the JSON has invalid UTF-8 at byte %zu",
			check.at);
	default:
		return decode_fail(d, "BAD_JSON", "is not valid JSON at byte %zu", check.at);
	}
}

/* Allocates datums from the budget of the message. */
static struct datum *decode_take(struct decoder *d, size_t count)
{
	size_t size = count *
		sizeof(struct datum); /* count is bounded by the limits: no overflow */
	if (size > d->budget) {
		decode_fail(d, "LENGTH_BEYOND_LIMIT",
			"the message decodes to more than %zu times its size",
			(size_t)DECODE_FACTOR);
		return NULL;
	}
	d->budget -= size;
	return arena_alloc(d->arena, size);
}

static bool decode_enter(struct decoder *d, const struct plan *plan)
{
	if (d->path.depth >= d->limits->depth)
		return decode_fail(d, "DEPTH_BEYOND_LIMIT", "is nested more than %zu levels deep",
			d->limits->depth);
	type_path_enter(&d->path, plan->writer);
	return true;
}

static bool decode_record(struct decoder *d, const struct plan *plan, struct datum *out)
{
	struct datum dropped, *fields = decode_take(d, plan->field_count);
	if (!fields || !decode_enter(d, plan))
		return false;
	*out = datum_record(fields, plan->field_count);
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct plan_step *step = &plan->steps[i];
		type_path_index(&d->path, i);
		if (!decode_value(d, step->plan,
			    step->target >= 0 ? &fields[step->target] : &dropped))
			return false;
	}
	for (size_t i = 0; i < plan->fill_count; i++)
		fields[plan->fills[i].target] = *plan->fills[i].value;
	type_path_leave(&d->path);
	return true;
}

/* The items of an array, or the pairs of a map, of the blocks decoded so far. */
struct list {
	struct datum *items;
	size_t count;
	size_t capacity;
	size_t width; /* datums an item takes: 1 of an array, 2 of a map */
};

/* Ensures room for `more` items. Doubles the room at least, so that many small blocks cost no more
 * than one large block. */
static bool decode_grow(struct decoder *d, struct list *list, size_t more)
{
	size_t needed = list->count + more;
	if (needed <= list->capacity)
		return true;
	if (list->capacity && needed < 2 * list->capacity)
		needed = 2 * list->capacity;
	struct datum *items = decode_take(d, needed * list->width);
	if (!items)
		return false;
	if (list->count)
		memcpy(items, list->items, list->count * list->width * sizeof(*items));
	list->items = items;
	list->capacity = needed;
	return true;
}

/* Reads the header of a block: the item count (0 ends the list) and, if the block has a size, the
 * end of the block. */
static bool decode_block(struct decoder *d, const struct plan *plan, const struct list *list,
	size_t *count, const uint8_t **end)
{
	int64_t items, size;
	*end = NULL;
	if (!read_long(d, &items))
		return false;
	if (items < 0) {
		if (!read_long(d, &size))
			return false;
		if (items == INT64_MIN || size < 0)
			return decode_fail(d, "BAD_LENGTH", "a block has an invalid length");
		if ((uint64_t)size > decode_left(d))
			return decode_truncated(d);
		items = -items;
		*end = d->at + size;
	}
	if ((uint64_t)items > UINT32_MAX / 4 || (size_t)items > d->limits->array_items ||
		list->count > d->limits->array_items - (size_t)items)
		return decode_fail(d, "LENGTH_BEYOND_LIMIT",
			"has a count of %" PRId64 " items; the limit is %zu", items,
			d->limits->array_items);
	size_t least = plan->item->least + list->width -
		1; /* the key of a pair takes at least a byte */
	if (least && (size_t)items > decode_left(d) / least)
		return decode_truncated(d);
	*count = (size_t)items;
	return true;
}

static bool block_items(struct decoder *d, const struct plan *plan, struct list *list, size_t count)
{
	if (!decode_grow(d, list, count))
		return false;
	struct datum *item = list->items + list->count * list->width;
	for (size_t i = 0; i < count; i++, item++) {
		type_path_index(&d->path, list->count++);
		if (list->width == 2 && !decode_text(d, item++))
			return false;
		if (!decode_value(d, plan->item, item))
			return false;
	}
	return true;
}

static bool decode_items(struct decoder *d, const struct plan *plan, struct datum *out)
{
	struct list list = { .width = plan->op == PLAN_MAP ? 2 : 1 };
	const uint8_t *end;
	size_t count = 0;
	if (!decode_enter(d, plan))
		return false;
	for (;;) {
		if (!decode_block(d, plan, &list, &count, &end))
			return false;
		if (!count)
			break;
		if (!block_items(d, plan, &list, count))
			return false;
		if (end && d->at != end)
			return decode_fail(d, "BAD_LENGTH",
				"a block does not end where its size says");
	}
	type_path_leave(&d->path);
	*out = plan->op == PLAN_MAP ? datum_map(list.items, (uint32_t)list.count)
				    : datum_array(list.items, (uint32_t)list.count);
	return true;
}

/* The numbers of an array<float> decoded so far. */
struct floats {
	uint8_t *bytes;  /* NULL: the numbers of a single block are not copied from the message */
	size_t capacity; /* of `bytes`, in numbers */
};

/* Appends the numbers of a block. The numbers of the first block stay in the message until a second
 * block follows. */
static bool decode_join(struct decoder *d, struct floats *floats, const uint8_t *first,
	size_t count, size_t more)
{
	if (!count)
		return true;
	if (count + more > floats->capacity) {
		size_t room = 2 * floats->capacity > count + more ? 2 * floats->capacity
								  : count + more;
		struct datum *taken = decode_take(d, room * sizeof(float) / sizeof(*taken) + 1);
		if (!taken)
			return false;
		memcpy(taken, floats->bytes ? floats->bytes : first, count * sizeof(float));
		floats->bytes = (uint8_t *)taken;
		floats->capacity = room;
	}
	memcpy(floats->bytes + count * sizeof(float), d->at, more * sizeof(float));
	return true;
}

/* decode_block() has checked that the message has as many bytes as a block's count needs. */
static bool array_of_floats(struct decoder *d, const struct plan *plan, struct datum *out)
{
	struct list list = { .width = 1 };
	struct floats floats = { 0 };
	const uint8_t *end, *first = NULL;
	size_t count = 0;
	if (!decode_enter(d, plan))
		return false;
	while (decode_block(d, plan, &list, &count, &end)) {
		if (!count) {
			type_path_leave(&d->path);
			*out = datum_floats(floats.bytes ? floats.bytes : first,
				(uint32_t)list.count);
			return true;
		}
		if (!list.count)
			first = d->at;
		if (!decode_join(d, &floats, first, list.count, count))
			return false;
		list.count += count;
		d->at += count * sizeof(float);
		if (end && d->at != end)
			return decode_fail(d, "BAD_LENGTH",
				"a block does not end where its size says");
	}
	return false;
}

/* Reads the branch of the writer's union. If the branch is null, sets *null and *out. */
static bool union_tag(struct decoder *d, const struct plan *plan, struct datum *out, bool *null)
{
	int64_t branch;
	if (!read_long(d, &branch))
		return false;
	if (branch != 0 && branch != 1)
		return decode_fail(d, "BAD_UNION", "the union has no branch %" PRId64, branch);
	*null = branch == plan->null_branch;
	if (*null && !plan->takes_null)
		return decode_fail(d, "NULL_FOR_REQUIRED", "must not be null");
	*out = datum_null();
	return true;
}

static bool decode_integer(struct decoder *d, const struct plan *plan, struct datum *out)
{
	bool narrow = plan->op == PLAN_INT || plan->op == PLAN_INT_AS_REAL;
	int64_t number;
	if (!(narrow ? read_int(d, &number) : read_long(d, &number)))
		return false;
	*out = plan->op == PLAN_INT || plan->op == PLAN_LONG ? datum_integer(number)
							     : datum_real((double)number);
	return true;
}

static bool decode_value(struct decoder *d, const struct plan *plan, struct datum *out)
{
	bool null = false;
	if (plan->tagged && !union_tag(d, plan, out, &null))
		return false;
	if (null)
		return true;
	switch (plan->op) {
	case PLAN_NULL:
		*out = datum_null();
		return true;
	case PLAN_BOOLEAN:
		return decode_boolean(d, out);
	case PLAN_INT:
	case PLAN_LONG:
	case PLAN_INT_AS_REAL:
	case PLAN_LONG_AS_REAL:
		return decode_integer(d, plan, out);
	case PLAN_FLOAT:
		return float_as_real(d, out);
	case PLAN_DOUBLE:
		return double_as_real(d, out);
	case PLAN_BYTES:
		return decode_bytes(d, out);
	case PLAN_TEXT:
		return decode_text(d, out);
	case PLAN_JSON:
		return decode_json(d, out);
	case PLAN_RECORD:
		return decode_record(d, plan, out);
	case PLAN_ARRAY:
		if (plan->item->op == PLAN_FLOAT && !plan->item->tagged)
			return array_of_floats(d, plan, out);
		return decode_items(d, plan, out);
	case PLAN_MAP:
		return decode_items(d, plan, out);
	}
	return false;
}

size_t decode_budget(size_t size)
{
	return size > DECODE_FLOOR / DECODE_FACTOR ? size * DECODE_FACTOR : DECODE_FLOOR;
}

bool decode(const struct plan *plan, const void *message, size_t size,
	const struct decode_limits *limits, struct arena *arena, struct datum *datum,
	struct decode_error *error)
{
	struct decoder d; /* not cleared: type_path_enter() writes each step before it is read */
	d.at = size ? message : (const void *)""; /* NULL plus 0 is undefined */
	d.end = d.at + size;
	d.limits = limits;
	d.arena = arena;
	d.error = error;
	d.path.depth = 0;
	d.spelled = 0;
	if (size > limits->message_bytes)
		return decode_fail(&d, "LENGTH_BEYOND_LIMIT",
			"the message has %zu bytes; the limit is %zu", size, limits->message_bytes);
	d.budget = decode_budget(size);
	if (!decode_value(&d, plan, datum))
		return false;
	if (d.at != d.end)
		return decode_fail(&d, "TRAILING_BYTES", "%zu bytes follow the datum",
			decode_left(&d));
	return true;
}
