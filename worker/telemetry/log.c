/*
 * log.c - builds each log line on the stack and writes it with one write()
 */
#include "worker/telemetry/log.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "schemas/base/alloc.h"
#include "schemas/base/clock.h"
#include "schemas/base/utf8.h"
#include "worker/telemetry/log_limit.h"

/* Room for a dozen values of LOG_VALUE_MAX bytes. The log omits further fields. */
#define LINE_MAX_BYTES 16384
#define CLOSING_BYTES 2 /* "}\n" always fits */

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

struct log {
	enum log_level level;
	enum log_format format;
	int fd;
	struct log_limit *limit;
};

/* After the first text that does not fit, the line accepts no more bytes. */
struct line {
	char bytes[LINE_MAX_BYTES];
	size_t used;
	bool full;
};

struct log *log_new(enum log_level level, enum log_format format, int fd)
{
	struct log *log = allocate(sizeof(*log));

	*log = (struct log){ .level = level, .format = format, .fd = fd, .limit = log_limit_new() };
	return log;
}

void log_free(struct log *log)
{
	log_limit_free(log->limit);
	free(log);
}

bool log_enabled(const struct log *log, enum log_level level)
{
	return level <= log->level;
}

static void line_add(struct line *line, const char *bytes, size_t len)
{
	if (line->full || len > sizeof(line->bytes) - CLOSING_BYTES - line->used) {
		line->full = true;
		return;
	}
	memcpy(line->bytes + line->used, bytes, len);
	line->used += len;
}

static void line_text(struct line *line, const char *text)
{
	line_add(line, text, strlen(text));
}

static void line_format(struct line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For numbers and short names. Cuts longer texts. */
static void line_format(struct line *line, const char *format, ...)
{
	char piece[64];
	va_list args;

	va_start(args, format);
	vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	line_text(line, piece);
}

/* The code point of a valid UTF-8 character of `len` bytes. */
static uint32_t code_point(const char *text, size_t len)
{
	uint32_t point = (unsigned char)text[0] & (len == 1 ? 0x7f : 0xffu >> (len + 1));

	for (size_t i = 1; i < len; i++)
		point = point << 6 | ((unsigned char)text[i] & 0x3f);
	return point;
}

/* The largest length up to `size` that does not end inside a character. */
static size_t whole_characters(const char *text, size_t size)
{
	size_t cut = size;

	/* A character has up to three bytes after the first one. */
	while (cut > 0 && size - cut < 4 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

/* Characters that end a line, control a terminal, end a quoted value or change the text's
 * direction. */
static bool must_escape(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == '"' || point == '\\' ||
		(point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

static void line_escape(struct line *line, uint32_t point)
{
	switch (point) {
	case '\n':
		line_text(line, "\\n");
		break;
	case '\t':
		line_text(line, "\\t");
		break;
	case '"':
	case '\\':
		line_format(line, "\\%c", (int)point);
		break;
	default:
		line_format(line, "\\u%04x", (unsigned)point);
	}
}

/* Writes a byte that is not UTF-8. JSON can only show the replacement character. */
static void line_bad_byte(struct line *line, enum log_format format, unsigned char byte)
{
	if (format == LOG_JSON)
		line_text(line, "\\ufffd");
	else
		line_format(line, "\\x%02x", byte);
}

static void line_quoted(struct line *line, enum log_format format, const char *text, size_t size)
{
	size_t shown = size < LOG_VALUE_MAX ? size : LOG_VALUE_MAX;
	size_t at = 0;

	if (shown < size)
		shown = whole_characters(text, shown);
	line_text(line, "\"");
	while (at < shown) {
		size_t len = unicode_step(text + at, text + shown);

		if (len == 0)
			line_bad_byte(line, format, (unsigned char)text[at]);
		else if (must_escape(code_point(text + at, len)))
			line_escape(line, code_point(text + at, len));
		else
			line_add(line, text + at, len);
		at += len ? len : 1;
	}
	line_text(line, shown < size ? "…\"" : "\"");
}

/* Can logfmt show the value without quotes? */
static bool is_bare(const char *text, size_t size)
{
	if (size == 0 || size > LOG_VALUE_MAX)
		return false;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return false;
	}
	return true;
}

static void line_value(struct line *line, enum log_format format, const char *text, size_t size)
{
	if (format == LOG_LOGFMT && is_bare(text, size))
		line_add(line, text, size);
	else
		line_quoted(line, format, text, size);
}

static void line_name(struct line *line, enum log_format format, const char *name)
{
	if (format == LOG_JSON)
		line_format(line, "%s\"%s\":", line->used > 1 ? "," : "", name);
	else
		line_format(line, "%s%s=", line->used > 0 ? " " : "", name);
}

static void line_real(struct line *line, enum log_format format, double real)
{
	if (format == LOG_JSON && !isfinite(real))
		line_text(line, "null");
	else
		line_format(line, "%.6g", real);
}

/* Adds the whole field or nothing. */
static void line_field(struct line *line, enum log_format format, const struct log_field *field)
{
	size_t before = line->used;

	if (field->kind == LOG_FIELD_TEXT && !field->text)
		return;
	line_name(line, format, field->name);
	switch (field->kind) {
	case LOG_FIELD_TEXT:
		line_value(line, format, field->text,
			field->size == SIZE_MAX ? strlen(field->text) : field->size);
		break;
	case LOG_FIELD_INTEGER:
		line_format(line, "%lld", (long long)field->integer);
		break;
	case LOG_FIELD_REAL:
		line_real(line, format, field->real);
		break;
	}
	if (line->full)
		line->used = before;
}

static void line_time(struct line *line, enum log_format format)
{
	struct timespec now;
	struct tm utc;
	char seconds[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &utc);
	line_name(line, format, "time");
	line_format(line, format == LOG_JSON ? "\"%s.%03ldZ\"" : "%s.%03ldZ", seconds,
		now.tv_nsec / 1000000);
}

/* A failed write loses the line but does not stop the worker. */
static void write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		bytes += written;
		size -= (size_t)written;
	}
}

void log_write(struct log *log, enum log_level level, const char *message,
	const struct log_field *fields)
{
	int saved = errno;
	struct line line;

	line.used = 0;
	line.full = false;
	if (log->format == LOG_JSON)
		line_text(&line, "{");
	line_time(&line, log->format);
	line_name(&line, log->format, "level");
	line_value(&line, log->format, level_names[level], strlen(level_names[level]));
	line_name(&line, log->format, "msg");
	line_quoted(&line, log->format, message, strlen(message));
	for (; fields && fields->name && !line.full; fields++)
		line_field(&line, log->format, fields);
	if (log->format == LOG_JSON)
		line.bytes[line.used++] = '}';
	line.bytes[line.used++] = '\n';
	write_all(log->fd, line.bytes, line.used);
	errno = saved;
}

void log_write_limited(struct log *log, enum log_level level, const char *message, const char *key,
	const struct log_field *fields)
{
	log_left_out(log);
	if (log_limit_allows(log->limit, (int)level, message, key, clock_tick_ms()))
		log_write(log, level, message, fields);
}

void log_left_out(struct log *log)
{
	struct log_left_out left_out;

	while (log_limit_due(log->limit, clock_tick_ms(), &left_out))
		log_at(log, (enum log_level)left_out.level, "more lines of one kind were left out",
			LOG_STR("of", left_out.message), LOG_STR("code", left_out.key),
			LOG_INT("count", left_out.count), LOG_INT("seconds", LOG_LIMIT_MS / 1000));
}
