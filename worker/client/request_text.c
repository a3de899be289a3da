/*
 * request_text.c - decodes a command's message to JSON text
 */
#include "worker/client/request_text.h"

#include <stdio.h>

#include "handlers/core/datum_json.h"
#include "schemas/avro/decode.h"
#include "schemas/avro/framing.h"
#include "schemas/base/alloc.h"

#define ARENA_KEEP 65536

/* High limits, because the worker may have rejected the message for its size. */
static const struct decode_limits limits = {
	.message_bytes = (size_t)1 << 30,
	.string_bytes = (size_t)1 << 30,
	.array_items = 100000000,
	.depth = TYPE_DEPTH_MAXIMUM,
	.json_depth = 512,
};

char *request_text(const struct catalog *catalog, const void *message, size_t size, char *why,
	size_t why_size)
{
	struct framing framing = framing_parse(message, size);
	const struct catalog_writer *writer = catalog_find_framed(catalog, &framing);
	struct arena *arena;
	struct decode_error error;
	struct datum datum;
	char *copy = NULL;

	if (!writer) {
		snprintf(why, why_size, "%s",
			framing.kind == FRAMING_UNKNOWN ? "it has no Avro framing"
							: "its schema is unknown");
		return NULL;
	}
	arena = arena_new(ARENA_KEEP);
	if (decode(writer->plan, framing.datum, framing.datum_size, &limits, arena, &datum,
		    &error)) {
		struct datum text = datum_to_json(arena,
			catalog_request(catalog, writer->command)->type, &datum);

		copy = alloc_bytes(text.text, text.size);
	} else {
		snprintf(why, why_size, "%s: %s", error.code, error.message);
	}
	arena_free(arena);
	return copy;
}
