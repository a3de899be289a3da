/* message_parts.c - a toolInvocations entry without args gets the args of its part */
#include "handlers/domains/memory/message_parts.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "schemas/json/json.h"

static struct arena *arena;

static void open_arena(void)
{
	arena = arena_new(0);
}

static void close_arena(void)
{
	arena_free(arena);
}

TestSuite(message_parts, .init = open_arena, .fini = close_arena);

static struct json normalise(const char *parts, const char *invocations)
{
	const char *content = arena_printf(arena,
		"{\"format\":2,\"parts\":[%s],\"toolInvocations\":[%s]}", parts, invocations);
	return message_parts_normalise(arena, (struct json){ content, strlen(content) });
}

static void expect(const char *parts, const char *invocations, const char *expected)
{
	struct json got = json_get(normalise(parts, invocations), "toolInvocations");
	const char *want = arena_printf(arena, "[%s]", expected);

	cr_assert_eq(got.len, strlen(want), "%.*s", (int)got.len, got.text);
	cr_assert(memcmp(got.text, want, got.len) == 0, "%.*s", (int)got.len, got.text);
}

#define PART(invocation) "{\"type\":\"tool-invocation\",\"toolInvocation\":" invocation "}"

Test(message_parts, the_first_part_with_args_counts)
{
	expect(PART("{\"toolCallId\":\"a\"}") "," PART("{\"toolCallId\":\"a\",\"args\":{}}") "," PART("{\"toolCallId\":\"b\",\"args\":{\"n\":0}}") "," PART(
		       "{\"toolCallId\":\"a\",\"args\":{\"n\":1}}") "," PART("{\"toolCallId\":\"a\",\"args\":{\"n\":2}}"),
		"{\"toolCallId\":\"a\"},{\"toolCallId\":\"c\"},{\"toolCallId\":\"b\",\"args\":{}}",
		"{\"toolCallId\":\"a\",\"args\":{\"n\":1}},{\"toolCallId\":\"c\"},"
		"{\"toolCallId\":\"b\",\"args\":{\"n\":0}}");
}

Test(message_parts, existing_args_stay)
{
	expect(PART("{\"toolCallId\":\"a\",\"args\":{\"n\":1}}"),
		"{\"toolCallId\":\"a\",\"args\":{\"n\":2}},5,\"a\"",
		"{\"toolCallId\":\"a\",\"args\":{\"n\":2}},5,\"a\"");
}

Test(message_parts, a_call_without_an_id_matches_a_part_without_an_id)
{
	expect(PART("{\"toolCallId\":\"\",\"args\":{\"n\":1}}") "," PART(
		       "{\"args\":{\"n\":2}}") "," PART("{\"toolCallId\":null,\"args\":{\"n\":3}}"),
		"{},{\"toolCallId\":\"\"},{\"toolCallId\":null}",
		"{\"args\":{\"n\":2}},{\"toolCallId\":\"\",\"args\":{\"n\":1}},"
		"{\"toolCallId\":null,\"args\":{\"n\":3}}");
}

Test(message_parts, only_tool_invocations_have_args)
{
	expect("{\"type\":\"text\",\"toolInvocation\":{\"toolCallId\":\"a\",\"args\":{\"n\":1}}}",
		"{\"toolCallId\":\"a\"}", "{\"toolCallId\":\"a\"}");
}

/* 10,000 of each: comparing every pair would take 20 seconds. */
Test(message_parts, many_calls_and_many_parts)
{
	enum { MANY = 10000 };
	struct json_text parts = json_text_new(arena), calls = json_text_new(arena);

	for (int i = 0; i < MANY; i++) {
		json_text_puts(&parts,
			arena_printf(arena, "%s" PART("{\"toolCallId\":%d,\"args\":[%d]}"),
				i ? "," : "", i, i));
		json_text_puts(&calls,
			arena_printf(arena, "%s{\"toolCallId\":%d}", i ? "," : "", MANY - i));
	}
	const char *given = json_text_end(&calls).text;
	clock_t begin = clock();
	struct json got = normalise(json_text_end(&parts).text, given);
	double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
	struct json_iter iter = json_iter(json_get(got, "toolInvocations"));
	struct json call;
	for (int i = 0; json_next(&iter, NULL, &call); i++)
		cr_assert_eq(json_get(call, "args").text != NULL, i > 0);
	cr_assert_lt(seconds, 3.0);
}
