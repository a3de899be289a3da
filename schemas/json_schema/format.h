/*
 * format.h - the formats that the keyword `format` knows
 *
 * Pure functions.
 */
#ifndef SCHEMAS_JSON_SCHEMA_FORMAT_H
#define SCHEMAS_JSON_SCHEMA_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

/* Has the text (UTF-8, `size` bytes) the format? */
typedef bool format_fn(const char *text, size_t size);

/* The format of that name; NULL: it is not supported. */
format_fn *format_find(const char *name, size_t size);

/* "date-time, date, ...": all names. Static. */
const char *format_names(void);

format_fn format_is_date_time, format_is_date, format_is_time, format_is_duration;
format_fn format_is_email, format_is_uri, format_is_ipv4, format_is_ipv6, format_is_uuid;

#endif
