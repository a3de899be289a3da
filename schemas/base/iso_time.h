/*
 * iso_time.h - times as Date.prototype.toISOString() writes them
 *
 * Source: ECMA-262, "Date Time String Format". The calendar is the proleptic Gregorian one.
 * Thread-safe: no state.
 */
#ifndef SCHEMAS_BASE_ISO_TIME_H
#define SCHEMAS_BASE_ISO_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISO_TIME_SIZE 32 /* "+275760-09-13T00:00:00.000Z" and its NUL, with room */

/* Writes the time, NUL-terminated; returns its length. It must be one that a Date can hold. */
size_t iso_time_write(char out[ISO_TIME_SIZE], int64_t ms);

/* Reads a date with a time and a zone (Z or an offset); false if it is something else. */
bool iso_time_read(const char *text, size_t len, int64_t *ms) __attribute__((warn_unused_result));

#endif
