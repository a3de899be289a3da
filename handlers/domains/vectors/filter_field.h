/*
 * filter_field.h - a field of the metadata, or of an array's element, as SQL
 */
#ifndef HANDLERS_DOMAINS_VECTORS_FILTER_FIELD_H
#define HANDLERS_DOMAINS_VECTORS_FILTER_FIELD_H

#include "handlers/domains/vectors/filter_writer.h"

#define FILTER_NAME 63 /* characters of each part of a field's name; the reference's limit */

/* A value of the row, as SQL of type jsonb and of type text. The text of JSON's null is NULL. */
struct filter_field {
	const char *json;
	const char *text;
	bool indexed; /* metadataIndexes may have created an index on the text */
};

/* Checks that each part of a dotted name is valid, and limits the number of parts. */
bool filter_field_name_ok(struct filter *filter, const struct filter_path *path,
	const char *dotted);

/* The field `dotted` of `base` (the SQL of an element), or of the metadata if base is NULL. */
bool filter_field(struct filter *filter, const struct filter_path *path, const char *base,
	const char *dotted, struct filter_field *out);

/* The array's element itself. */
struct filter_field filter_element(struct filter *filter, const char *base);

#endif
