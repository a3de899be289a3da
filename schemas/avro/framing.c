/*
 * framing.c - the table of framings, and the functions that choose a row
 */
#include "schemas/avro/framing.h"

#include "schemas/avro/framing_format.h"

static const struct framing_format *const formats[] = {
	[FRAMING_UNKNOWN] = NULL,
	[FRAMING_SINGLE_OBJECT] = &framing_single_object,
	[FRAMING_REGISTRY] = &framing_registry,
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

struct framing framing_parse(const void *message, size_t size)
{
	struct framing framing = { .kind = FRAMING_UNKNOWN };

	for (size_t kind = FRAMING_UNKNOWN + 1; kind < FORMATS; kind++) {
		const struct framing_format *format = formats[kind];
		if (size < format->header_size || !format->recognises(message))
			continue;
		framing.kind = (enum framing_kind)kind;
		framing.datum = (const uint8_t *)message + format->header_size;
		framing.datum_size = size - format->header_size;
		format->read(message, &framing);
		break;
	}
	return framing;
}

bool framing_accepted(const struct framing *framing)
{
	const struct framing_format *format = formats[framing->kind];
	return format && format->accepted;
}

void framing_write_header(struct buffer *out, const struct framing *framing)
{
	const struct framing_format *format = formats[framing->kind];
	uint8_t *header = format ? buffer_extend(out, format->header_size) : NULL;
	if (header)
		format->write(header, framing);
}

void framing_write(struct buffer *out, uint64_t fingerprint)
{
	struct framing framing = { .kind = FRAMING_SINGLE_OBJECT, .fingerprint = fingerprint };
	framing_write_header(out, &framing);
}
