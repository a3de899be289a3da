/*
 * message_read.h - reading messages in pages
 *
 * Rows are fetched in chunks and walked by key, so that "all messages of a thread" or a filter
 * that only C can evaluate never loads a table into the process: what is kept is what the
 * reply will hold, and at most max_reply_bytes of it.
 */
#ifndef HANDLERS_DOMAINS_MEMORY_MESSAGE_READ_H
#define HANDLERS_DOMAINS_MEMORY_MESSAGE_READ_H

#include "handlers/core/context.h"
#include "schemas/json/json.h"

struct message_scan;

/* Called when the scan is done. */
typedef void message_scan_fn(struct context *ctx, struct message_scan *scan, void *arg);

struct message_scan {
	struct call *call;
	/* What to look for; set before message_scan_start. */
	const char *where; /* conditions on the table `m`, from fixed text */
	void (*bind)(struct context *ctx, void *arg); /* binds their values, $1 and on */
	message_scan_fn *done;
	void *arg;
	bool descending;
	struct json filter; /* of metadata; absent: none */
	int64_t offset;     /* matches to skip */
	int64_t limit;      /* matches to keep; INT64_MAX: all */
	bool count_all;     /* go on to the end to count the matches (only with a filter) */
	/* What was found. */
	struct datum *messages; /* mastra.memory.Message with `content` as the column holds it */
	uint32_t count;
	int64_t matches; /* with a filter: so far met, kept or not */
	bool too_large;  /* ended early: `messages` alone are more than a reply may hold */
	/* Its own. */
	uint32_t room;
	size_t bytes;
	bool begun;
	struct datum last_at; /* where the last chunk ended */
	struct datum last_id;
};

void message_scan_start(struct context *ctx, struct message_scan *scan);

/* What was found as it is, for a reply that is too large: call_reply() is then sure to find it
 * so, and takes back what the command wrote. */
struct datum message_scan_raw(const struct message_scan *scan);

/* The columns of a message (of the table `m`): every statement that reads messages has these,
 * in this order. */
#define MESSAGE_COLUMNS \
	"m.id, m.content, m.role, m.type, m.thread_id AS \"threadId\", m.\"resourceId\"," \
	" COALESCE(m.\"createdAtZ\", m.\"createdAt\" AT TIME ZONE 'UTC') AS \"createdAt\""
enum message_column {
	MESSAGE_ID,
	MESSAGE_CONTENT,
	MESSAGE_ROLE,
	MESSAGE_TYPE,
	MESSAGE_THREAD_ID,
	MESSAGE_RESOURCE_ID,
	MESSAGE_CREATED_AT,
	MESSAGE_COLUMN_COUNT,
};

/* Row `row` as a mastra.memory.Message whose texts live in the arena; type v2 is null. */
struct datum message_of_row(struct context *ctx, const struct rows *rows, int row);

#endif
