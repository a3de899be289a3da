/*
 * datum.h - one decoded Avro value
 *
 * The decoder turns a request into a tree of datums in the batch's arena. A handler builds its
 * reply as a datum, and the encoder writes it by its type. A decoded text is not copied: it points
 * into the message. So a datum is valid as long as its message and its arena.
 */
#ifndef SCHEMAS_BASE_DATUM_H
#define SCHEMAS_BASE_DATUM_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum datum_kind {
	DATUM_NULL,
	DATUM_BOOLEAN,
	DATUM_INTEGER, /* int and long; also timestamp-millis */
	DATUM_REAL,    /* float and double */
	DATUM_TEXT,    /* string, bytes, fixed, enum symbol; also json. Not NUL-terminated */
	DATUM_RECORD,  /* items: the fields of the reader's type, in order */
	DATUM_ARRAY,   /* items */
	DATUM_MAP,     /* items: key, value, key, value, ...; size is the number of pairs */
	DATUM_FLOATS,  /* an array<float> in its Avro encoding: `size` numbers at `text` */
};

enum datum_flag {
	DATUM_JSON_REPAIR =
		1, /* a json text with an escaped NUL or a lone surrogate, which jsonb rejects */
};

struct datum {
	enum datum_kind kind : 8;
	unsigned flags : 24;
	uint32_t size; /* bytes of a text; items of a record, array; pairs of a map */
	union {
		bool boolean;
		int64_t integer;
		double real;
		const char *text;
		struct datum *items;
	};
};

static inline bool datum_is_null(const struct datum *d)
{
	return d->kind == DATUM_NULL;
}

/* Field `index` (an enum of fields.gen.h) of a record. */
static inline const struct datum *datum_field(const struct datum *record, unsigned index)
{
	return &record->items[index];
}

static inline struct datum datum_null(void)
{
	return (struct datum){ .kind = DATUM_NULL };
}

static inline struct datum datum_boolean(bool value)
{
	return (struct datum){ .kind = DATUM_BOOLEAN, .boolean = value };
}

static inline struct datum datum_integer(int64_t value)
{
	return (struct datum){ .kind = DATUM_INTEGER, .integer = value };
}

static inline struct datum datum_real(double value)
{
	return (struct datum){ .kind = DATUM_REAL, .real = value };
}

static inline struct datum datum_text(const char *text, uint32_t size)
{
	return (struct datum){ .kind = DATUM_TEXT, .size = size, .text = text };
}

/* A text from a NUL-terminated string; null if it is NULL. */
static inline struct datum datum_string(const char *text)
{
	return text ? datum_text(text, (uint32_t)strlen(text)) : datum_null();
}

static inline struct datum datum_record(struct datum *fields, uint32_t count)
{
	return (struct datum){ .kind = DATUM_RECORD, .size = count, .items = fields };
}

static inline struct datum datum_array(struct datum *items, uint32_t count)
{
	return (struct datum){ .kind = DATUM_ARRAY, .size = count, .items = items };
}

static inline struct datum datum_map(struct datum *pairs, uint32_t count)
{
	return (struct datum){ .kind = DATUM_MAP, .size = count, .items = pairs };
}

/* Numbers in their Avro encoding: four bytes each, little-endian, at any alignment. An embedding
 * has thousands of numbers, and one datum for each would need four times the memory. */
static inline struct datum datum_floats(const void *bytes, uint32_t count)
{
	return (struct datum){ .kind = DATUM_FLOATS, .size = count, .text = bytes };
}

/* Number `i` of a DATUM_FLOATS. */
static inline float datum_float(const struct datum *floats, uint32_t i)
{
	uint32_t bits;
	float number;
	memcpy(&bits, floats->text + (size_t)i * sizeof(bits), sizeof(bits));
	bits = le32toh(bits);
	memcpy(&number, &bits, sizeof(number));
	return number;
}

/* Are two texts equal? Both datums must be texts. */
static inline bool datum_equals(const struct datum *a, const struct datum *b)
{
	return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

#endif
