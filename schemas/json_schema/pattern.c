/* pattern.c - compiles and runs regular expressions with PCRE2 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "schemas/json_schema/pattern.h"

#include <pcre2.h>

#include "schemas/json_schema/javascript.h"

#define PATTERN_LONGEST 4096   /* bytes of a pattern */
#define PATTERN_NESTING 50     /* parentheses */
#define PATTERN_BASE_WORK 2000 /* PCRE2's steps of a match */
#define PATTERN_WORK_PER_BYTE 50
#define PATTERN_HEAP_KIB 4096

struct pattern {
	pcre2_code *code;
};

static void *pattern_allocate(size_t size, void *arena)
{
	return arena_alloc(arena, size);
}

/* The arena frees everything at once. */
static void pattern_free(void *memory, void *arena)
{
	(void)memory;
	(void)arena;
}

static pcre2_general_context *pattern_memory(struct arena *arena)
{
	return pcre2_general_context_create(pattern_allocate, pattern_free, arena);
}

static const char *pattern_explain(struct arena *arena, int error)
{
	PCRE2_UCHAR text[128];

	if (pcre2_get_error_message(error, text, sizeof(text)) < 0)
		return "is no regular expression";
	return arena_printf(arena, "is no regular expression that is supported: %s", (char *)text);
}

const struct pattern *pattern_compile(struct arena *arena, const struct datum *source,
	const char **why)
{
	pcre2_compile_context *context = pcre2_compile_context_create(pattern_memory(arena));
	struct pattern *pattern = arena_calloc(arena, 1, sizeof(*pattern));
	struct json translated;
	PCRE2_SIZE at;
	int error;

	if (source->size > PATTERN_LONGEST) {
		*why = "is longer than 4096 bytes";
		return NULL;
	}
	if (!javascript_translate(arena, source, &translated, why))
		return NULL;
	pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
	pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
	pcre2_set_parens_nest_limit(context, PATTERN_NESTING);
	pattern->code = pcre2_compile((PCRE2_SPTR)translated.text, translated.len,
		PCRE2_UTF | PCRE2_ALT_BSUX | PCRE2_ALLOW_EMPTY_CLASS | PCRE2_DOLLAR_ENDONLY |
			PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C,
		&error, &at, context);
	if (pattern->code)
		return pattern;
	*why = pattern_explain(arena, error);
	return NULL;
}

enum pattern_verdict pattern_match(const struct pattern *pattern, struct arena *arena,
	const char *text, size_t size)
{
	pcre2_general_context *memory = pattern_memory(arena);
	pcre2_match_context *context = pcre2_match_context_create(memory);
	pcre2_match_data *data = pcre2_match_data_create(1, memory);
	size_t work = PATTERN_BASE_WORK + PATTERN_WORK_PER_BYTE * size;

	pcre2_set_match_limit(context, work < UINT32_MAX ? (uint32_t)work : UINT32_MAX);
	pcre2_set_heap_limit(context, PATTERN_HEAP_KIB);
	int found = pcre2_match(pattern->code, (PCRE2_SPTR)text, size, 0, PCRE2_NO_UTF_CHECK, data,
		context);
	if (found >= 0)
		return PATTERN_MATCHES;
	return found == PCRE2_ERROR_NOMATCH ? PATTERN_DIFFERS : PATTERN_UNKNOWN;
}
