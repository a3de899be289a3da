/* page.c - the handler of lists that name none: counts the rows and reads one page of them */
#include <string.h>

#include "handlers/core/binding.h"
#include "handlers/core/choice.h"
#include "handlers/core/declared.h"
#include "handlers/core/reply.h"
#include "handlers/core/stored_json.h"

/* The fields of a result that describe its page. They stand beside the list, or in a record. */
enum page_field { PAGE_TOTAL, PAGE_PAGE, PAGE_PER_PAGE, PAGE_HAS_MORE, PAGE_FIELDS };

static const char *const page_fields[PAGE_FIELDS] = {
	[PAGE_TOTAL] = "total",
	[PAGE_PAGE] = "page",
	[PAGE_PER_PAGE] = "perPage",
	[PAGE_HAS_MORE] = "hasMore",
};

struct page {
	struct call *call;
	const struct datum *number, *size; /* page and perPage as given */
	struct paging paging;
	int64_t total;
};

static void page_counted(struct context *ctx, const struct rows *rows, void *arg)
{
	struct page *page = arg;

	(void)ctx;
	page->total = rows_integer(rows, 0, 0);
}

static struct datum page_value(const struct page *page, enum page_field field)
{
	bool echo = page->total == 0 && page->call->command->page->echo;

	switch (field) {
	case PAGE_TOTAL:
		return datum_integer(page->total);
	case PAGE_PAGE:
		return echo ? *page->number : datum_integer(page->paging.page);
	case PAGE_PER_PAGE:
		return echo ? *page->size : paging_per_page(&page->paging);
	case PAGE_HAS_MORE:
		return datum_boolean(paging_has_more(&page->paging, page->total));
	case PAGE_FIELDS:
		break;
	}
	return datum_null();
}

/* A record of the list `rows` (NULL: an empty one) and of what page_fields names, at any depth. */
static struct datum page_record(struct context *ctx, const struct page *page,
	const struct type *type, const struct rows *rows)
{
	struct datum *fields = arena_calloc(ctx->arena, type->field_count, sizeof(*fields));

	for (size_t i = 0; i < type->field_count; i++) {
		const struct type_field *field = &type->fields[i];
		if (field->type->kind == TYPE_ARRAY)
			fields[i] = rows ? stored_rows(ctx, rows, field->type->item)
					 : datum_array(NULL, 0);
		else if (field->type->kind == TYPE_RECORD)
			fields[i] = page_record(ctx, page, field->type, rows);
		for (int known = 0; known < PAGE_FIELDS; known++)
			if (strcmp(field->name, page_fields[known]) == 0)
				fields[i] = page_value(page, (enum page_field)known);
	}
	return datum_record(fields, (uint32_t)type->field_count);
}

static void page_read(struct context *ctx, const struct rows *rows, void *arg)
{
	const struct page *page = arg;

	call_reply(ctx, page->call, page_record(ctx, page, reply_result_type(page->call), rows));
}

static bool page_read_paging(struct context *ctx, struct page *page)
{
	return paging_read(ctx, page->call, page->number, page->size,
		page->call->command->page->size, &page->paging);
}

/* The page is wrong, which only a list with rows refuses. */
static void page_judged(struct context *ctx, const struct rows *rows, void *arg)
{
	struct page *page = arg;

	page->total = rows_integer(rows, 0, 0);
	if (page->total == 0)
		call_reply(ctx, page->call,
			page_record(ctx, page, reply_result_type(page->call), NULL));
	else
		(void)!page_read_paging(ctx, page);
}

/* The field of page or perPage in the record that the declaration names. */
static const struct datum *page_given(struct context *ctx, const struct call *call,
	const char *field)
{
	static const struct datum none;
	const char *where = call->command->page->where;
	const struct datum *value = binding_path(call,
		*where ? arena_printf(ctx->arena, "%s.%s", where, field) : field, NULL);

	return value ? value : &none;
}

static bool page_choose(struct context *ctx, struct call *call, const char *path,
	const char *const *known, int fallback, int *chosen)
{
	const struct datum *given = binding_path(call, path, NULL);

	*chosen = given ? choice_find(known, given) : fallback;
	if (*chosen >= 0)
		return true;
	*chosen = fallback;
	return !call->command->page->strict ||
		choice_ok(ctx, call, given, known, "INVALID_ORDER", path);
}

/* The statement that reads the page in the order that the request asks for. */
static bool page_statement(struct context *ctx, struct call *call, int *statement)
{
	static const char *const directions[] = { "ASC", "DESC", NULL };
	const struct page_def *def = call->command->page;
	int field, direction;

	if (!page_choose(ctx, call, "orderBy.field", def->orders, 0, &field) ||
		!page_choose(ctx, call, "orderBy.direction", directions, def->descending,
			&direction))
		return false;
	*statement = call->command->statement + 1 + 2 * field + direction;
	return true;
}

/* Sends the count, and the page unless it is wrong. */
static void page_send(struct context *ctx, struct page *page, int read)
{
	const struct command_def *command = page->call->command;
	bool wrong = command->page->echo && !paging_valid(page->number, page->size);

	if ((!wrong && !page_read_paging(ctx, page)) ||
		!declared_bind(ctx, page->call, command->statement, NULL))
		return;
	context_send(ctx, command->statement, wrong ? page_judged : page_counted, page);
	if (wrong || !declared_bind(ctx, page->call, read, &page->paging))
		return;
	context_bound(ctx, page->call);
	context_send(ctx, read, page_read, page);
}

void handle_page(struct context *ctx)
{
	struct page *page = arena_calloc(ctx->arena, 1, sizeof(*page));
	struct call *call = page->call = ctx->calls[0];
	int read;

	page->number = page_given(ctx, call, "page");
	page->size = page_given(ctx, call, "perPage");
	if (declared_words_ok(ctx, call) && page_statement(ctx, call, &read))
		page_send(ctx, page, read);
}
