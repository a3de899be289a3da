#include "handlers/stored_json.h"

#include "handlers/json.h"
#include "schemas/json_check.h"

struct datum stored_json(struct arena *arena, const struct datum *value)
{
	struct datum inner = *value;

	if (datum_is_null(value))
		return *value;
	if (json_kind(json_of(value)) == JSON_STRING_KIND) {
		inner = json_unquote(arena, json_of(value));
		struct json_check check = json_check(inner.text, inner.size, JSON_DEPTH_MAXIMUM);
		if (check.verdict != JSON_VALID)
			return *value;
	}
	return json_kind(json_of(&inner)) == JSON_NULL_KIND ? datum_null() : inner;
}

struct datum stored_rows(struct turn *turn, const struct rows *rows, const struct type *type)
{
	struct datum records = reply_rows(turn, rows, type);

	for (uint32_t i = 0; i < records.size; i++)
		for (size_t f = 0; f < type->field_count; f++)
			if (type->fields[f].type->logical == LOGICAL_JSON)
				records.items[i].items[f] =
					stored_json(turn->arena, &records.items[i].items[f]);
	return records;
}
