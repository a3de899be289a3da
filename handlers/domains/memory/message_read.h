/*
 * message_read.h - reads the messages that match conditions, as many as a reply holds
 *
 * A scan reads rows in chunks of up to 100, each chunk starting after the last key of the one before.
 * So neither "all messages of a thread" nor a filter that only C can evaluate loads a table into the
 * process: a scan keeps the messages for the reply, up to max_reply_bytes. A chunk of large rows ends
 * early, and the next one asks for fewer.
 */
#ifndef HANDLERS_DOMAINS_MEMORY_MESSAGE_READ_H
#define HANDLERS_DOMAINS_MEMORY_MESSAGE_READ_H

#include "handlers/core/context.h"
#include "schemas/json/json.h"

struct message_scan;

/* Called once, when the scan is done, from a callback of its last statement. */
typedef void message_scan_fn(struct context *ctx, struct message_scan *scan, void *arg);

/* A text that each chunk replaces. */
struct message_key {
	char *text; /* NULL: none yet */
	size_t size, room;
};

struct message_scan {
	struct call *call;
	/* What to look for; the caller sets it before message_scan_start(). */
	const char *where;                            /* SQL conditions on the table `m` */
	void (*bind)(struct context *ctx, void *arg); /* appends their values as $1, $2, ... */
	message_scan_fn *done;
	void *arg;
	bool descending;
	struct json filter; /* on metadata, from metadata_filter_read(); absent: none */
	int64_t offset;     /* matches to skip */
	int64_t limit;      /* matches to keep; INT64_MAX: all */
	bool count_all;     /* read to the end to count the matches (only with a filter) */
	/* What was found. */
	struct datum *messages; /* mastra.memory.Message with `content` as the column holds it */
	uint32_t count;
	int64_t matches; /* with a filter: rows that matched, kept or not */
	bool too_large;  /* the scan stopped: `messages` alone exceed max_reply_bytes */
	/* Private to the scan. */
	uint32_t room;
	size_t bytes;
	bool begun;
	int64_t chunk, asked; /* rows: of the next chunk if nothing limits it, of the last one */
	const char *sql[2];   /* of the first chunk, and of the others */
	struct message_key last_at; /* where the last chunk ended */
	struct message_key last_id;
};

/* Sends the first chunk's statement. The scan must live in the arena: callbacks use it later. The
 * command needs the flag `barrier`. */
void message_scan_start(struct context *ctx, struct message_scan *scan);

/* The messages as they were read, for the reply of a scan that is too_large. call_reply() then
 * answers REPLY_TOO_LARGE and undoes what the command wrote. */
struct datum message_scan_raw(const struct message_scan *scan);

/* The columns of a message (of the table `m`). Every statement that reads messages selects these, in
 * this order. */
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

/* Row `row` as a mastra.memory.Message. Its texts are copied into the arena; the type v2 becomes null. */
struct datum message_of_row(struct context *ctx, const struct rows *rows, int row);

#endif
