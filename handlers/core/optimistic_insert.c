/* optimistic_insert.c - see optimistic_insert.h */
#include "handlers/core/optimistic_insert.h"

#include "schemas/base/xxhash32.h"

/* For fewer it is not worth a failed batch, for which somebody may wait. */
#define ROWS_MIN 32
/* Keys that are there come in swarms: what was sent before is sent again. */
#define REST_MIN 100
#define REST_MAX 6400
#define REST_GROWTH 4
/* What a failure costs is spared by so many batches of vectors that hold, and by fewer of messages. */
#define HELD_ENOUGH 50

void new_rows_begin(struct new_rows *rows)
{
	for (int i = 0; i < NEW_ROWS_PLACES; i++)
		rows->places[i].tried = false;
}

bool new_rows_expected(struct new_rows *rows, const char *table, size_t size, size_t count)
{
	struct new_rows_place *place = &rows->places[xxhash32(table, size) % NEW_ROWS_PLACES];

	if (count < ROWS_MIN)
		return false;
	if (place->rest > 0) {
		place->rest--;
		return false;
	}
	place->tried = true;
	return true;
}

bool new_rows_tried(const struct new_rows *rows)
{
	for (int i = 0; i < NEW_ROWS_PLACES; i++)
		if (rows->places[i].tried)
			return true;
	return false;
}

static unsigned rest_after(const struct new_rows_place *place)
{
	if (place->held >= HELD_ENOUGH || place->last_rest == 0)
		return REST_MIN;
	return place->last_rest < REST_MAX ? place->last_rest * REST_GROWTH : REST_MAX;
}

void new_rows_failed(struct new_rows *rows)
{
	for (int i = 0; i < NEW_ROWS_PLACES; i++) {
		struct new_rows_place *place = &rows->places[i];
		if (!place->tried)
			continue;
		place->rest = place->last_rest = rest_after(place);
		place->held = 0;
	}
}

void new_rows_held(struct new_rows *rows)
{
	for (int i = 0; i < NEW_ROWS_PLACES; i++)
		if (rows->places[i].tried && rows->places[i].held < HELD_ENOUGH)
			rows->places[i].held++;
}
