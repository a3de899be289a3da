/* log_limit.c - a small table of the kinds that were written last */
#include "worker/telemetry/log_limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/base/alloc.h"

/* Kinds at once; further ones share the last place. There are fewer error codes. */
#define KINDS_MAX 256

struct kind {
	struct log_left_out left_out;
	int64_t since; /* the first line of the span */
	unsigned lines;
};

struct log_limit {
	pthread_mutex_t mutex;
	struct kind kinds[KINDS_MAX];
	unsigned count;
};

struct log_limit *log_limit_new(void)
{
	struct log_limit *limit = alloc_zero(1, sizeof(*limit));
	pthread_mutex_init(&limit->mutex, NULL);
	return limit;
}

void log_limit_free(struct log_limit *limit)
{
	pthread_mutex_destroy(&limit->mutex);
	free(limit);
}

static struct kind *log_limit_find(struct log_limit *limit, int level, const char *message,
	const char *key)
{
	for (unsigned i = 0; i < limit->count; i++) {
		struct kind *kind = &limit->kinds[i];
		if (strcmp(kind->left_out.message, message) == 0 &&
			strcmp(kind->left_out.key, key) == 0)
			return kind;
	}
	if (limit->count == KINDS_MAX)
		return &limit->kinds[KINDS_MAX - 1];
	struct kind *kind = &limit->kinds[limit->count++];
	kind->left_out = (struct log_left_out){ .level = level, .message = message, .key = key };
	return kind;
}

bool log_limit_allows(struct log_limit *limit, int level, const char *message, const char *key,
	int64_t now)
{
	pthread_mutex_lock(&limit->mutex);
	struct kind *kind = log_limit_find(limit, level, message, key);
	bool over = now - kind->since >= LOG_LIMIT_MS;
	if (kind->lines == 0 || (over && kind->left_out.count == 0)) {
		kind->since = now;
		kind->lines = 0;
	}
	bool allowed = kind->lines < LOG_LIMIT_LINES;
	if (allowed)
		kind->lines++;
	else
		kind->left_out.count++;
	pthread_mutex_unlock(&limit->mutex);
	return allowed;
}

bool log_limit_due(struct log_limit *limit, int64_t now, struct log_left_out *out)
{
	bool due = false;
	pthread_mutex_lock(&limit->mutex);
	for (unsigned i = 0; i < limit->count && !due; i++) {
		struct kind *kind = &limit->kinds[i];
		due = kind->left_out.count > 0 && now - kind->since >= LOG_LIMIT_MS;
		if (due) {
			*out = kind->left_out;
			kind->left_out.count = 0;
			kind->lines = 0;
		}
	}
	pthread_mutex_unlock(&limit->mutex);
	return due;
}
