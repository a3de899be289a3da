/*
 * log_limit.h - how many lines of one kind the log writes, and how many it has left out
 *
 * A client can make a command fail thousands of times a second. So of each kind of line only the
 * first LOG_LIMIT_LINES within LOG_LIMIT_MS are written; a summary says how many followed.
 *
 * A kind is a message and a key, both static strings. Any thread; the mutex is inside.
 */
#ifndef WORKER_TELEMETRY_LOG_LIMIT_H
#define WORKER_TELEMETRY_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_LIMIT_LINES 20
#define LOG_LIMIT_MS 10000

struct log_limit;

struct log_limit *log_limit_new(void);
void log_limit_free(struct log_limit *limit);

/* May a line of this kind be written now (clock_tick_ms)? If not, it is counted. */
bool log_limit_allows(struct log_limit *limit, int level, const char *message, const char *key,
	int64_t now);

/* Lines of one kind that were left out. */
struct log_left_out {
	int level;
	const char *message, *key;
	uint64_t count;
};

/* Returns a kind whose LOG_LIMIT_MS are over, and forgets its count. False: there is none. */
bool log_limit_due(struct log_limit *limit, int64_t now, struct log_left_out *out);

#endif
