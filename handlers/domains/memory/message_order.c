/*
 * message_order.c - the order of ids, as JavaScript's String.prototype.localeCompare
 *
 * Source: the root collation of CLDR (UTS 10), for ASCII. Characters are compared without case;
 * if all are equal, the first difference in case decides, lower case first. Control characters are
 * ignored. Characters beyond ASCII sort last, by their bytes.
 */
#include "handlers/domains/memory/message_list.h"

#include <string.h>

static const char ascii_order[] = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789"
				  "abcdefghijklmnopqrstuvwxyz";

static bool message_order_is_capital(unsigned char c)
{
	return c >= 'A' && c <= 'Z';
}

/* The character's place in the order; 0: ignored. */
static int message_order_weight(unsigned char c)
{
	if (c >= 0x80)
		return c;
	if (!c)
		return 0;
	const char *at = strchr(ascii_order, message_order_is_capital(c) ? c + 'a' - 'A' : c);
	return at ? (int)(at - ascii_order) + 1 : 0;
}

/* The next character from *at that is not ignored; 0 at the end. */
static unsigned char message_order_next(const struct datum *text, uint32_t *at)
{
	while (*at < text->size) {
		unsigned char c = (unsigned char)text->text[(*at)++];
		if (message_order_weight(c))
			return c;
	}
	return 0;
}

int message_id_compare(const struct datum *a, const struct datum *b)
{
	uint32_t at_a = 0, at_b = 0;
	int case_order = 0;

	for (;;) {
		unsigned char one = message_order_next(a, &at_a),
			      two = message_order_next(b, &at_b);
		int order = message_order_weight(one) - message_order_weight(two);
		if (order)
			return order;
		if (!one)
			return case_order;
		if (!case_order)
			case_order = message_order_is_capital(one) - message_order_is_capital(two);
	}
}
