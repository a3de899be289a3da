/*
 * iso_time.h - reads and writes times in the format of Date.prototype.toISOString()
 *
 * Source: ECMA-262, "Date Time String Format". The calendar is proleptic Gregorian.
 * Times are milliseconds since 1970-01-01T00:00:00Z. Threads: pure functions.
 */
#ifndef SCHEMAS_BASE_ISO_TIME_H
#define SCHEMAS_BASE_ISO_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISO_TIME_SIZE 32 /* "+275760-09-13T00:00:00.000Z" and a NUL fit */

/* Writes the time with a NUL and returns its length. A JavaScript Date must be able to hold it. */
size_t iso_time_write(char out[ISO_TIME_SIZE], int64_t ms);

/* Reads a date with a time and a zone (Z or an offset). False if the text has another format. */
bool iso_time_read(const char *text, size_t len, int64_t *ms) __attribute__((warn_unused_result));

#endif
