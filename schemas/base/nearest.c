/*
 * nearest.c - finds similar names by edit distance (optimal string alignment)
 */
#include "schemas/base/nearest.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

static size_t nearest_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

size_t nearest_distance(const char *a, const char *b)
{
	size_t rows[3][NEAREST_NAME_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > NEAREST_NAME_MAX || b_len > NEAREST_NAME_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		before[j] = last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *oldest = before;

		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			now[j] = nearest_least(nearest_least(last[j], now[j - 1]) + 1,
				last[j - 1] + !same_letter(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
				same_letter(a[i - 2], b[j - 1]))
				now[j] = nearest_least(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = oldest;
	}
	return last[b_len];
}

void nearest_offer_as(struct nearest *nearest, const char *candidate, const char *found)
{
	size_t distance = nearest_distance(nearest->wanted, candidate);
	size_t len = strlen(nearest->wanted);
	/* With more than a third of the letters wrong, it is another word. */
	size_t bound = len < 6 ? 2 : len / 3;

	if (distance > bound || (nearest->found && distance >= nearest->distance))
		return;
	nearest->found = found;
	nearest->distance = distance;
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
	nearest_offer_as(nearest, candidate, candidate);
}
