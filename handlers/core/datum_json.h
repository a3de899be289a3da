/*
 * datum_json.h - data of a declared type as JSON text, and back
 *
 * Some columns hold as JSON what the protocol has as records (the chunks of observational
 * memory, the parts of a workflow's state). The text is what JSON.stringify makes of the
 * reference's objects: a null member is left out, a time is ISO text, a number that is none is
 * null.
 *
 * Recursion goes as deep as the type, which is not recursive.
 */
#ifndef HANDLERS_CORE_DATUM_JSON_H
#define HANDLERS_CORE_DATUM_JSON_H

#include "schemas/avro/type.h"
#include "schemas/base/datum.h"
#include "schemas/json/json.h"

/* The datum as a json text. It bears DATUM_JSON_REPAIR if anything in it may need a repair. */
struct datum datum_to_json(struct arena *arena, const struct type *type, const struct datum *datum);

/* The value as a datum of the type. What is absent or of another kind is null, or where the
 * type has no null the type's empty value ("", 0, [], ...). Texts may point into the value. */
struct datum datum_from_json(struct arena *arena, const struct type *type, struct json value);

#endif
