/*
 * log.h - structured log lines on standard error, as logfmt or JSON
 *
 *   log_info(log, "partition claimed", LOG_STR("topic", topic), LOG_INT("partition", 3));
 *   -> time=2026-11-22T10:11:12.345Z level=info msg="partition claimed" topic=a partition=3
 *
 * Values may come from untrusted messages. The log escapes control characters, quotes and invalid
 * UTF-8, and cuts values at LOG_VALUE_MAX bytes, so that an entry stays one line. Never log a
 * secret: config_masked() masks connection strings.
 * Any thread. One write() writes a line.
 */
#ifndef WORKER_TELEMETRY_LOG_H
#define WORKER_TELEMETRY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_VALUE_MAX 1024

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_LOGFMT, LOG_JSON };

struct log;

struct log_field {
	const char *name; /* NULL ends the list */
	enum { LOG_FIELD_TEXT, LOG_FIELD_INTEGER, LOG_FIELD_REAL } kind;
	const char *text; /* NULL omits the field */
	size_t size;      /* SIZE_MAX: text is NUL-terminated */
	int64_t integer;
	double real;
};

#define LOG_STR(n, v) { .name = (n), .kind = LOG_FIELD_TEXT, .text = (v), .size = SIZE_MAX }
#define LOG_BYTES(n, v, len) { .name = (n), .kind = LOG_FIELD_TEXT, .text = (v), .size = (len) }
#define LOG_INT(n, v) { .name = (n), .kind = LOG_FIELD_INTEGER, .integer = (int64_t)(v) }
#define LOG_REAL(n, v) { .name = (n), .kind = LOG_FIELD_REAL, .real = (v) }

struct log *log_new(enum log_level level, enum log_format format, int fd);
void log_free(struct log *log);
bool log_enabled(const struct log *log, enum log_level level);
void log_write(struct log *log, enum log_level level, const char *message,
	const struct log_field *fields);

/* The same for lines that a client can cause at any rate: of each message and key (static strings)
 * only some are written, and a line later tells how many were left out (log_limit.h). */
void log_write_limited(struct log *log, enum log_level level, const char *message, const char *key,
	const struct log_field *fields);
/* Writes the lines that tell how many were left out. Call it about once a second, and at the end. */
void log_left_out(struct log *log);

#define log_at_limited(log, level, message, key, ...) \
	do { \
		if (log_enabled((log), (level))) \
			log_write_limited((log), (level), (message), (key), \
				(const struct log_field[]){ \
					__VA_ARGS__ __VA_OPT__(, ){ .name = NULL } }); \
	} while (0)
#define log_at(log, level, message, ...) \
	do { \
		if (log_enabled((log), (level))) \
			log_write((log), (level), (message), \
				(const struct log_field[]){ \
					__VA_ARGS__ __VA_OPT__(, ){ .name = NULL } }); \
	} while (0)
#define log_error(log, ...) log_at((log), LOG_ERROR, __VA_ARGS__)
#define log_warn(log, ...) log_at((log), LOG_WARN, __VA_ARGS__)
#define log_info(log, ...) log_at((log), LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_at((log), LOG_DEBUG, __VA_ARGS__)

#endif
