/* statement_cache.c - prepares a statement once, drops the least recently used, forgets a failed one */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "db/connection/statement.h"
#include "db/connection/statement_cache.h"

Test(statement_cache, hit_is_not_fresh)
{
	struct statement_cache *cache = statement_cache_new(4);
	struct statement_slot first = statement_cache_get(cache, "SELECT 1", "public");
	cr_assert(first.fresh);
	struct statement_slot again = statement_cache_get(cache, "SELECT 1", "public");
	cr_assert_not(again.fresh);
	cr_assert_str_eq(first.name, again.name);
	cr_assert(statement_cache_get(cache, "SELECT 1", "other").fresh);
	statement_cache_free(cache);
}

Test(statement_cache, least_recently_used_is_dropped)
{
	struct statement_cache *cache = statement_cache_new(2);
	char name[32];
	statement_cache_get(cache, "a", NULL);
	snprintf(name, sizeof(name), "%s", statement_cache_get(cache, "b", NULL).name);
	statement_cache_get(cache, "a", NULL);
	struct statement_slot slot = statement_cache_get(cache, "c", NULL);
	cr_assert_str_eq(slot.dropped, name);
	cr_assert_not(statement_cache_get(cache, "a", NULL).fresh);
	cr_assert(statement_cache_get(cache, "b", NULL).fresh);
	statement_cache_free(cache);
}

Test(statement_cache, forgotten_statement_gets_another_name)
{
	struct statement_cache *cache = statement_cache_new(4);
	char name[32];
	snprintf(name, sizeof(name), "%s", statement_cache_get(cache, "a", NULL).name);
	statement_cache_forget(cache, name);
	struct statement_slot slot = statement_cache_get(cache, "a", NULL);
	cr_assert(slot.fresh);
	cr_assert_str_neq(slot.name, name);
	statement_cache_free(cache);
}

Test(statement_text, schema_is_quoted)
{
	char *text = statement_text("SELECT * FROM :\"schema\".t, :\"schema\".u", "My\"Schema");
	cr_assert_str_eq(text, "SELECT * FROM \"My\"\"Schema\".t, \"My\"\"Schema\".u");
	free(text);
}
