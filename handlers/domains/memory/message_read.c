/* message_read.c - reads messages in chunks, each starting after the last row of the one before */
#include "handlers/domains/memory/message_read.h"

#include <string.h>

#include "fields.gen.h"
#include "handlers/domains/memory/metadata_filter.h"

#define CHUNK 100 /* rows per round trip, at most */

/* The column that follows the message's columns: createdAt as text, for message_read_after_last. */
#define PAGE_AT MESSAGE_COLUMN_COUNT

static struct datum message_read_text(struct context *ctx, const struct rows *rows, int row,
	int column)
{
	size_t len = 0;

	if (rows_null(rows, row, column))
		return datum_null();
	const char *text = rows_text(rows, row, column, &len);
	return datum_text(arena_copy(ctx->arena, text, len), (uint32_t)len);
}

struct datum message_of_row(struct context *ctx, const struct rows *rows, int row)
{
	static const struct {
		unsigned field;
		enum message_column column;
	} texts[] = {
		{ MEMORY_MESSAGE__ID, MESSAGE_ID },
		{ MEMORY_MESSAGE__ROLE, MESSAGE_ROLE },
		{ MEMORY_MESSAGE__THREAD_ID, MESSAGE_THREAD_ID },
		{ MEMORY_MESSAGE__RESOURCE_ID, MESSAGE_RESOURCE_ID },
		{ MEMORY_MESSAGE__TYPE, MESSAGE_TYPE },
		{ MEMORY_MESSAGE__CONTENT, MESSAGE_CONTENT },
	};
	struct datum *fields = arena_calloc(ctx->arena, MEMORY_MESSAGE_SIZE, sizeof(*fields));

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		fields[texts[i].field] = message_read_text(ctx, rows, row, texts[i].column);
	fields[MEMORY_MESSAGE__CREATED_AT] = datum_integer(rows_time_ms(rows, row,
		MESSAGE_CREATED_AT));
	struct datum *type = &fields[MEMORY_MESSAGE__TYPE];
	if (type->size == 2 && memcmp(type->text, "v2", 2) == 0)
		*type = datum_null();
	return datum_record(fields, MEMORY_MESSAGE_SIZE);
}

static void message_read_keep(struct context *ctx, struct message_scan *scan, struct datum message)
{
	if (scan->count == scan->room) {
		uint32_t room = scan->room ? 2 * scan->room : CHUNK;
		struct datum *grown = arena_alloc(ctx->arena, room * sizeof(*grown));
		if (scan->count)
			memcpy(grown, scan->messages, scan->count * sizeof(*grown));
		scan->messages = grown;
		scan->room = room;
	}
	scan->messages[scan->count++] = message;
	scan->bytes += message.items[MEMORY_MESSAGE__CONTENT].size;
	scan->too_large = scan->bytes > ctx->settings->max_reply_bytes;
}

/* What the comparison allocates is freed at once: a scan may look at any number of rows. */
static bool message_read_matches(struct context *ctx, const struct message_scan *scan,
	const struct rows *rows, int row)
{
	size_t len = 0;
	const char *text = rows_text(rows, row, MESSAGE_CONTENT, &len);
	struct datum content = datum_text(text, (uint32_t)len);

	if (!scan->filter.text)
		return true;
	struct arena_mark mark = arena_mark(ctx->arena);
	bool matches = metadata_filter_matches(ctx->arena, &content, scan->filter);
	arena_rewind(ctx->arena, mark);
	return matches;
}

static void message_read_collect_rows(struct context *ctx, struct message_scan *scan,
	const struct rows *rows)
{
	for (int row = 0; row < rows_count(rows) && !scan->too_large; row++) {
		if (!message_read_matches(ctx, scan, rows, row))
			continue;
		int64_t number = scan->matches++;
		if (number >= scan->offset && scan->count < scan->limit)
			message_read_keep(ctx, scan, message_of_row(ctx, rows, row));
	}
}

/* LIMIT of the next chunk. A filter, or counting all matches, needs full chunks. */
static int64_t message_read_chunk_size(const struct message_scan *scan)
{
	int64_t wanted = scan->limit - scan->count;

	if (scan->count_all || scan->filter.text || wanted > scan->chunk)
		return scan->chunk;
	return wanted;
}

static void message_read_keep_key(struct context *ctx, struct message_key *key,
	const struct rows *rows, int row, int column)
{
	const char *text = rows_text(rows, row, column, &key->size);

	if (!key->text || key->size > key->room) {
		key->room = 2 * key->size;
		key->text = arena_alloc(ctx->arena, key->room);
	}
	memcpy(key->text, text, key->size);
}

static void message_read_fetch(struct context *ctx, struct message_scan *scan);

static void message_read_chunk_done(struct context *ctx, const struct rows *rows, void *arg)
{
	struct message_scan *scan = arg;
	int count = rows_count(rows);
	bool cut = scan->filter.text && context_rows_cut(ctx);

	message_read_collect_rows(ctx, scan, rows);
	bool full = scan->count >= scan->limit && !scan->count_all;
	if (full || (count < scan->asked && !cut) || scan->too_large) {
		scan->done(ctx, scan, scan->arg);
		return;
	}
	if (cut)
		scan->chunk = count;
	else if (scan->chunk < CHUNK)
		scan->chunk = 2 * scan->chunk < CHUNK ? 2 * scan->chunk : CHUNK;
	message_read_keep_key(ctx, &scan->last_at, rows, count - 1, PAGE_AT);
	message_read_keep_key(ctx, &scan->last_id, rows, count - 1, MESSAGE_ID);
	message_read_fetch(ctx, scan);
}

/* Adds the condition for rows after the last chunk, whose two parameters begin at *next: a row
 * comparison, as the index on createdAt serves it. */
static void message_read_add_behind(struct json_text *sql, const struct message_scan *scan,
	int *next)
{
	json_text_puts(sql,
		arena_printf(sql->arena,
			" AND (m.\"createdAt\", m.id) %s ($%d::text::timestamp, $%d::text)",
			scan->descending ? "<" : ">", *next, *next + 1));
	*next += 2;
}

/* A row can only match if its content has the text of each key. PostgreSQL checks this, so most
 * other rows never leave the server. */
static void message_read_add_keys(struct json_text *sql, const struct message_scan *scan, int *next)
{
	struct json_iter iter = json_iter(scan->filter);
	struct json value;

	while (iter.members && json_next(&iter, NULL, &value))
		json_text_puts(sql,
			arena_printf(sql->arena, " AND strpos(m.content, $%d::text) > 0",
				(*next)++));
}

/* The statement that reads the first chunk or a later one. The parameters of `where` come first, and `next`
 * is the number of the next one. */
static const char *message_read_sql(struct context *ctx, const struct message_scan *scan, int next)
{
	const char *direction = scan->descending ? "DESC" : "ASC";
	struct json_text sql = json_text_new(ctx->arena);

	json_text_puts(&sql,
		"SELECT " MESSAGE_COLUMNS ", m.\"createdAt\"::text AS at"
		" FROM :\"schema\".mastra_messages AS m WHERE ");
	json_text_puts(&sql, scan->where);
	if (scan->begun)
		message_read_add_behind(&sql, scan, &next);
	message_read_add_keys(&sql, scan, &next);
	json_text_puts(&sql,
		arena_printf(ctx->arena,
			" ORDER BY m.\"createdAt\" %s, m.id %s LIMIT $%d::int8 OFFSET $%d::int8",
			direction, direction, next, next + 1));
	return json_text_end(&sql).text;
}

static void message_read_bind(struct context *ctx, const struct message_scan *scan)
{
	struct json_iter iter = json_iter(scan->filter);
	struct json key, value;

	if (scan->begun) {
		params_text(ctx->params, scan->last_at.text, scan->last_at.size);
		params_text(ctx->params, scan->last_id.text, scan->last_id.size);
	}
	while (iter.members && json_next(&iter, &key, &value))
		params_text(ctx->params, key.text, key.len);
}

static void message_read_fetch(struct context *ctx, struct message_scan *scan)
{
	scan->bind(ctx, scan->arg);
	const char **sql = &scan->sql[scan->begun];
	if (!*sql)
		*sql = message_read_sql(ctx, scan, params_count(ctx->params) + 1);
	message_read_bind(ctx, scan);
	/* Without a filter, PostgreSQL skips the rows before the page. */
	bool skip = !scan->filter.text && !scan->begun;
	if (skip)
		scan->matches = scan->offset;
	scan->asked = message_read_chunk_size(scan);
	params_int8(ctx->params, scan->asked);
	params_int8(ctx->params, skip ? scan->offset : 0);
	scan->begun = true;
	/* With a filter, not all rows go into the reply, so the reply does not bound them. */
	if (scan->filter.text)
		context_part(ctx);
	else
		context_bound(ctx, scan->call);
	context_send_sql(ctx, *sql, message_read_chunk_done, scan);
}

void message_scan_start(struct context *ctx, struct message_scan *scan)
{
	scan->chunk = CHUNK;
	message_read_fetch(ctx, scan);
}

struct datum message_scan_raw(const struct message_scan *scan)
{
	return datum_array(scan->messages, scan->count);
}
