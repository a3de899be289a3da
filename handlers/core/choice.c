/* choice.c - looks a text up among the known ones */
#include "handlers/core/choice.h"

#include "schemas/json/json.h"

int choice_find(const char *const *known, const struct datum *text)
{
	for (int i = 0; known[i]; i++)
		if (strlen(known[i]) == text->size && memcmp(known[i], text->text, text->size) == 0)
			return i;
	return -1;
}

bool choice_ok(struct context *ctx, struct call *call, const struct datum *text,
	const char *const *known, const char *code, const char *name)
{
	if (!text || datum_is_null(text) || choice_find(known, text) >= 0)
		return true;
	struct json_text list = json_text_new(ctx->arena);
	for (size_t i = 0; known[i]; i++) {
		json_text_puts(&list, i ? ", " : "");
		json_text_puts(&list, known[i]);
	}
	call_fail(ctx, call, FAILURE_INVALID, code, NULL, "%s must be one of %s", name,
		json_text_end(&list).text);
	return false;
}
