/*
 * datum_json.h - data of a declared Avro type as JSON text, and back
 *
 * Some columns store as JSON what the protocol declares as records: the chunks of observational
 * memory, the parts of a workflow's state. The text is what JSON.stringify() prints for the
 * reference's objects: null members are left out, times are ISO 8601, NaN and infinities are null.
 *
 * Both functions recurse as deep as the type is nested; no type of the protocol contains itself.
 */
#ifndef HANDLERS_CORE_DATUM_JSON_H
#define HANDLERS_CORE_DATUM_JSON_H

#include "schemas/avro/type.h"
#include "schemas/base/datum.h"
#include "schemas/json/json.h"

/* Returns the datum as a json text in the arena. It has the flag DATUM_JSON_REPAIR if jsonb could
 * not hold it as it is: pass it to binding_json(). */
struct datum datum_to_json(struct arena *arena, const struct type *type, const struct datum *datum);

/* Returns the value as a datum of the type; it never fails. A missing value, or one of another
 * kind, becomes null, or the type's empty value ("", 0, false, [], {}) if the type is not nullable.
 * Integers beyond the type's range become its nearest number. Texts may point into the value. */
struct datum datum_from_json(struct arena *arena, const struct type *type, struct json value);

#endif
