/* statement_cache.c - prepares a statement once, drops the least recently used, forgets a failed one */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/connection/statement.h"
#include "db/connection/statement_cache.h"

Test(statement_cache, hit_is_not_fresh)
{
	struct statement_cache *cache = statement_cache_new(4, 0);
	struct statement_slot first = statement_cache_get(cache, SHARE_OWN, "SELECT 1", "public");
	cr_assert(first.fresh);
	struct statement_slot again = statement_cache_get(cache, SHARE_OWN, "SELECT 1", "public");
	cr_assert_not(again.fresh);
	cr_assert_str_eq(first.name, again.name);
	cr_assert(statement_cache_get(cache, SHARE_OWN, "SELECT 1", "other").fresh);
	statement_cache_free(cache);
}

Test(statement_cache, least_recently_used_is_dropped)
{
	struct statement_cache *cache = statement_cache_new(2, 0);
	char name[32];
	statement_cache_get(cache, SHARE_OWN, "a", NULL);
	snprintf(name, sizeof(name), "%s", statement_cache_get(cache, SHARE_OWN, "b", NULL).name);
	statement_cache_get(cache, SHARE_OWN, "a", NULL);
	struct statement_slot slot = statement_cache_get(cache, SHARE_OWN, "c", NULL);
	cr_assert_str_eq(slot.dropped, name);
	cr_assert_not(statement_cache_get(cache, SHARE_OWN, "a", NULL).fresh);
	cr_assert(statement_cache_get(cache, SHARE_OWN, "b", NULL).fresh);
	statement_cache_free(cache);
}

Test(statement_cache, forgotten_statement_is_prepared_again)
{
	struct statement_cache *cache = statement_cache_new(4, 0);
	char name[32];
	snprintf(name, sizeof(name), "%s", statement_cache_get(cache, SHARE_OWN, "a", NULL).name);
	statement_cache_forget(cache, name);
	struct statement_slot slot = statement_cache_get(cache, SHARE_OWN, "a", NULL);
	cr_assert(slot.fresh);
	cr_assert_str_eq(slot.name, name);
	statement_cache_free(cache);
}

/* --- composed statements --- */

static struct statement_slot get_filter(struct statement_cache *cache, int number, size_t size)
{
	char *sql = malloc(size + 1);
	memset(sql, 'x', size);
	sql[size] = '\0';
	snprintf(sql, 16, "%015d", number);
	sql[15] = 'x';
	struct statement_slot slot = statement_cache_get(cache, SHARE_COMPOSED, sql, "public");
	free(sql);
	return slot;
}

Test(statement_cache, composed_statement_is_prepared_when_it_comes_again)
{
	struct statement_cache *cache = statement_cache_new(256, 0);
	cr_assert_null(get_filter(cache, 1, 1000).name);
	struct statement_slot second = get_filter(cache, 1, 1000);
	cr_assert_not_null(second.name);
	cr_assert(second.fresh);
	struct statement_slot third = get_filter(cache, 1, 1000);
	cr_assert_str_eq(third.name, second.name);
	cr_assert_not(third.fresh);
	statement_cache_free(cache);
}

/* Prepared statements of `size` bytes after many that all come again and again. */
static int count_prepared(struct statement_cache *cache, size_t size)
{
	int prepared = 0;
	for (int i = 0; i < 1000; i++) {
		struct statement_slot slot = { 0 };
		for (int times = 0; times < 3; times++) {
			slot = get_filter(cache, i, size);
			prepared += slot.fresh;
			prepared -= slot.dropped != NULL;
		}
	}
	return prepared;
}

Test(statement_cache, composed_statements_are_bounded_by_bytes)
{
	static const size_t sizes[] = { 100, 1000, 5000, 16000, 17000, 100000 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct statement_cache *cache = statement_cache_new(256, 0);
		int prepared = count_prepared(cache, sizes[i]);
		cr_assert_leq(prepared * (int)sizes[i], 128 * 1024, "%d of %zu bytes", prepared,
			sizes[i]);
		cr_assert_leq(prepared, 256);
		cr_assert_eq(prepared > 0, sizes[i] <= 16 * 1024);
		statement_cache_free(cache);
	}
}

Test(statement_cache, composed_statements_drop_only_composed_ones)
{
	struct statement_cache *cache = statement_cache_new(256, 0);
	char own[16];
	for (int i = 0; i < 50; i++) {
		snprintf(own, sizeof(own), "own %d", i);
		statement_cache_get(cache, SHARE_OWN, own, "public");
	}
	count_prepared(cache, 1000);
	for (int i = 0; i < 50; i++) {
		snprintf(own, sizeof(own), "own %d", i);
		cr_assert_not(statement_cache_get(cache, SHARE_OWN, own, "public").fresh, "%s",
			own);
	}
	statement_cache_free(cache);
}

Test(statement_cache, composed_statement_that_needs_the_room_of_several)
{
	struct statement_cache *cache = statement_cache_new(256, 0);
	count_prepared(cache, 1000);
	int tries = 0;
	while (!get_filter(cache, 5000, 16000).name)
		cr_assert_lt(tries++, 100, "each try makes room");
	statement_cache_free(cache);
}

/* --- tenants --- */

static struct statement_slot get_of_tenant(struct statement_cache *cache, int tenant)
{
	char schema[16];
	snprintf(schema, sizeof(schema), "tenant_%d", tenant);
	return statement_cache_get(cache, SHARE_TENANTS, "SELECT 1 FROM :\"schema\".t", schema);
}

Test(statement_cache, tenants_are_bounded_by_bytes_and_drop_only_each_other)
{
	size_t size = strlen("SELECT 1 FROM :\"schema\".t");
	struct statement_cache *cache = statement_cache_new(4, 600 * size);
	statement_cache_get(cache, SHARE_OWN, "own", "public");
	for (int i = 0; i < 500; i++) {
		cr_assert_null(get_of_tenant(cache, i).name, "%d", i);
		cr_assert(get_of_tenant(cache, i).fresh, "%d", i);
	}
	for (int i = 0; i < 500; i++) {
		struct statement_slot slot = get_of_tenant(cache, i);
		cr_assert(slot.name && !slot.fresh && !slot.dropped, "%d", i);
	}
	for (int i = 500; i < 700; i++) {
		get_of_tenant(cache, i);
		cr_assert_eq(get_of_tenant(cache, i).dropped != NULL, i >= 600, "%d", i);
	}
	cr_assert_not(statement_cache_get(cache, SHARE_OWN, "own", "public").fresh);
	statement_cache_free(cache);
}

Test(statement_text, schema_is_quoted)
{
	char *text = statement_text("SELECT * FROM :\"schema\".t, :\"schema\".u", "My\"Schema");
	cr_assert_str_eq(text, "SELECT * FROM \"My\"\"Schema\".t, \"My\"\"Schema\".u");
	free(text);
}

/* Behind a pooler, sessions see the statements of others. */
Test(statement_name, is_the_same_everywhere_and_another_for_another_statement)
{
	char name[STATEMENT_NAME_MAX], other[STATEMENT_NAME_MAX];
	statement_name("SELECT 1", "public", name);
	struct statement_cache *caches[2];
	for (int i = 0; i < 2; i++) {
		caches[i] = statement_cache_new(4, 0);
		statement_cache_get(caches[i], SHARE_OWN, i ? "SELECT 2" : "SELECT 3", "public");
		struct statement_slot slot = statement_cache_get(caches[i], SHARE_OWN, "SELECT 1",
			"public");
		cr_assert_str_eq(slot.name, name);
		statement_cache_free(caches[i]);
	}
	cr_assert_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz012345"), STATEMENT_NAME_MAX - 1);
	statement_name("SELECT 2", "public", other);
	cr_assert_str_neq(other, name);
	statement_name("SELECT 1", "private", other);
	cr_assert_str_neq(other, name);
	/* The border between the two texts counts. */
	statement_name("ab", "c", name);
	statement_name("b", "ca", other);
	cr_assert_str_neq(other, name);
}
