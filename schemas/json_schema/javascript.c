/* javascript.c - rewrites what JavaScript and PCRE2 spell differently, refuses what only PCRE2 knows */
#include "schemas/json_schema/javascript.h"

#include <string.h>

/* JavaScript's white space, and all other characters, as items of a class. */
#define BLANKS \
	"\\x09-\\x0d\\x20\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff"
#define NO_BLANKS \
	"\\x00-\\x08\\x0e-\\x1f\\x21-\\x9f\\xa1-\\u167f\\u1681-\\u1fff\\u200b-\\u2027\\u202a-" \
	"\\u202e\\u2030-\\u205e\\u2060-\\u2fff\\u3001-\\ufefe\\uff00-\\u{10ffff}"

/* Letters and digits that may follow a backslash and mean the same in both. */
#define SAME_ESCAPES "dDwWbBnrtfcxupPk0123456789"

/* Names of general categories that PCRE2 knows only by their short names. */
static const struct category {
	const char *name, *known;
} categories[] = {
	{ "{Letter}", "{L}" },
	{ "{Lowercase_Letter}", "{Ll}" },
	{ "{Uppercase_Letter}", "{Lu}" },
	{ "{Mark}", "{M}" },
	{ "{Number}", "{N}" },
	{ "{Decimal_Number}", "{Nd}" },
	{ "{digit}", "{Nd}" },
	{ "{Punctuation}", "{P}" },
	{ "{punct}", "{P}" },
	{ "{Symbol}", "{S}" },
	{ "{Separator}", "{Z}" },
	{ "{Other}", "{C}" },
};

struct translation {
	const char *at, *end;
	bool in_class;
	struct json_text out;
	const char *why; /* NULL: nothing is wrong so far */
};

static bool javascript_is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Adds a class, or its items within one. */
static void javascript_add_class(struct translation *t, const char *items)
{
	json_text_puts(&t->out, t->in_class ? "" : "[");
	json_text_puts(&t->out, items);
	json_text_puts(&t->out, t->in_class ? "" : "]");
}

static bool javascript_begins(const char *at, const char *end, const char *word)
{
	return (size_t)(end - at) >= strlen(word) && memcmp(at, word, strlen(word)) == 0;
}

/* The category behind \\p or \\P, if PCRE2 knows it by another name. */
static void javascript_category(struct translation *t)
{
	for (size_t i = 0; i < sizeof(categories) / sizeof(*categories); i++)
		if (javascript_begins(t->at, t->end, categories[i].name)) {
			json_text_puts(&t->out, categories[i].known);
			t->at += strlen(categories[i].name);
			return;
		}
}

/* An escape: `at` is its backslash. */
static void javascript_escape(struct translation *t)
{
	char escaped = t->end - t->at > 1 ? t->at[1] : 0;

	if (escaped == 's')
		javascript_add_class(t, BLANKS);
	else if (escaped == 'S')
		javascript_add_class(t, NO_BLANKS);
	else if (escaped == 'v')
		json_text_puts(&t->out, "\\x0b");
	else if (javascript_is_word(escaped) && !strchr(SAME_ESCAPES, escaped))
		t->why = "has an escape that JavaScript does not have";
	else
		json_text_add(&t->out, t->at, t->end - t->at > 1 ? 2 : 1);
	t->at += t->end - t->at > 1 ? 2 : 1;
	if (escaped == 'p' || escaped == 'P')
		javascript_category(t);
}

/* Does one of JavaScript's groups begin with these characters, which follow its parenthesis? */
static bool javascript_group_known(const char *at, const char *end)
{
	static const char *const known[] = { "?:", "?=", "?!", "?<=", "?<!" };

	if (at == end || (*at != '?' && *at != '*'))
		return true;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (javascript_begins(at, end, known[i]))
			return true;
	return end - at > 2 && at[0] == '?' && at[1] == '<';
}

static void javascript_step(struct translation *t)
{
	char c = *t->at;

	if (c == '\\') {
		javascript_escape(t);
		return;
	}
	if (c == '(' && !t->in_class && !javascript_group_known(t->at + 1, t->end))
		t->why = "has a group that JavaScript does not have";
	if (c == '[' && t->in_class)
		json_text_puts(&t->out, "\\"); /* or PCRE2 sees a name such as [:alpha:] */
	if (c == '[' || (c == ']' && t->in_class))
		t->in_class = c == '[';
	json_text_add(&t->out, t->at, 1);
	t->at++;
}

bool javascript_translate(struct arena *arena, const struct datum *source, struct json *out,
	const char **why)
{
	struct translation t = { source->text, source->text + source->size, false,
		json_text_new(arena), NULL };

	while (t.at < t.end && !t.why)
		javascript_step(&t);
	*out = json_text_end(&t.out);
	*why = t.why;
	return !t.why;
}
